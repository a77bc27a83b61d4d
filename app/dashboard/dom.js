// The one way in which anything gets into the page. Text goes through text nodes, never through a parser, so
// that what a task or an agent says cannot become markup.

function append(element, children) {
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== false)
      element.append(child instanceof Node ? child : String(child));
  return element;
}

function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false)
      continue;
    if (name.startsWith('on'))
      element.addEventListener(name.slice(2), value);
    else
      element.setAttribute(name, value === true ? '' : String(value));
  }
}

/** An HTML element: h('p', {class: 'note'}, 'text', child). `onclick` and the like take functions. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  return append(element, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  setAttributes(element, attributes);
  return append(element, children);
}

export function replace(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/** Sets a text only if it differs: an aria-live region speaks only when something changed. */
export function setText(element, text) {
  if (element.textContent !== text)
    element.textContent = text;
}

/** `draw`, at most every `interval_ms`, in an animation frame, however often the result is called. */
export function throttled(draw, interval_ms = 250) {
  let pending = false, last = -Infinity;
  return () => {
    if (pending)
      return;
    pending = true;
    setTimeout(() => requestAnimationFrame(() => {
      pending = false;
      last = performance.now();
      draw();
    }), Math.max(0, last + interval_ms - performance.now()));
  };
}

export function svgIcon(path, attributes = {}) {
  return s('svg', { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true', focusable: 'false', ...attributes },
    s('path', { d: path }));
}
