// Payloads as text: indented, with every number as it was written, and bounded.
import { h } from './dom.js';
import { bytes } from './format.js';
import { copy } from './dialogs.js';

const shown_characters = 20_000;

/** Parses so that 12345678901234567890 and 1.0 stay what they are, where the browser can do that. */
export function parseFaithfully(text) {
  if (typeof JSON.rawJSON !== 'function')
    return JSON.parse(text);
  return JSON.parse(text, (key, value, context) =>
    typeof value === 'number' && context?.source && String(value) !== context.source ? JSON.rawJSON(context.source) : value);
}

/** JSON text for `value` with one member put in as the JSON text it is already. */
export function withMember(value, name, json) {
  const rest = JSON.stringify(value).slice(1, -1);
  return `{${JSON.stringify(name)}:${json}${rest ? `,${rest}` : ''}}`;
}

/** A titled block with the value, a copy button for all of it, and a button for the rest if it is long. */
export function payload(title, value) {
  const text = JSON.stringify(value, null, 2);
  const code = h('code', {}, text.slice(0, shown_characters));
  const more = text.length > shown_characters && h('button', {
    type: 'button',
    onclick: event => { code.textContent = text; event.target.parentElement.remove(); },
  }, `Show all ${bytes(text.length)}`);
  return h('section', { class: 'payload', 'aria-label': title },
    h('div', { class: 'payload-head' }, h('h3', {}, title),
      h('button', { type: 'button', class: 'quiet', onclick: () => copy(text) }, 'Copy', h('span', { class: 'unseen' }, ` ${title}`))),
    h('pre', { tabindex: '0', 'aria-label': title }, code),
    more && h('p', { class: 'hint' }, `The first ${bytes(shown_characters)} are shown. `, more));
}
