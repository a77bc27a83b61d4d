// What both plots have in common: the frame with its axes, the reading line that the mouse or the arrow keys
// move, its tooltip, and the same figures as a table. A plot gives the marks and the words.
import { h, replace, s } from './dom.js';
import { clockMinute, time } from './format.js';

const height = 220;
const margin = { top: 12, right: 14, bottom: 24, left: 52 };

/** Round steps from 0 to at least `max`: at most five of them. */
export function niceTicks(max) {
  if (!(max > 0))
    return [0, 1];
  const power = 10 ** Math.floor(Math.log10(max / 4));
  const step = [1, 2, 5, 10].map(n => n * power).find(one => max / one <= 4.0001);
  const ticks = [0];
  while (ticks.at(-1) < max * 0.9999)
    ticks.push(Number((ticks.length * step).toPrecision(6)));
  return ticks;
}

/** A linear scale through `ticks`, or a logarithmic one where the ticks do not begin with 0. */
function verticalScale(ticks) {
  const low = ticks[0], high = ticks.at(-1), span = height - margin.top - margin.bottom;
  const share = low > 0 ? v => Math.log(Math.max(v, low) / low) / Math.log(high / low) : v => v / high;
  return v => height - margin.bottom - share(v) * span;
}

/**
 * title, hint: text. legend: [{swatch: Node, label}]. ticks(buckets): for the vertical axis. tickText(v).
 * marks(buckets, x, y, width_of_a_bucket): SVG nodes. readings(bucket): [{label, text}] for tooltip and table.
 */
export function plot({ name, title, hint, legend, ticks, tickText, marks, readings, right = margin.right }) {
  let buckets = [], bucket_s = 10, chosen = null;
  const svg = s('svg', { class: 'plot-svg', 'aria-hidden': 'true', height });
  const tooltip = h('div', { class: 'tooltip', hidden: true });
  const area = h('div', {
    class: 'plot-area', tabindex: '0', role: 'slider', 'aria-label': `${title}: figures by time`,
    'aria-valuemin': '1', 'aria-valuemax': '90', 'aria-valuenow': '90',
    onpointermove: event => choose(indexAt(event)), onpointerleave: () => choose(null),
    onfocus: () => chosen ?? choose(buckets.length - 1), onblur: () => choose(null), onkeydown: move,
  }, svg, tooltip);
  const table = h('tbody');
  const details = h('details', { class: 'plot-table', ontoggle: () => fillTable() },
    h('summary', {}, 'As a table'),
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${title} as a table` }, h('table', {}, h('caption', { class: 'unseen' }, title), h('thead'), table)));
  const element = h('figure', { class: 'card plot', 'data-plot': name },
    h('figcaption', {}, h('h2', {}, title), h('p', { class: 'hint' }, hint)),
    h('ul', { class: 'legend' }, legend.map(({ swatch, label }) => h('li', {}, swatch, label))), area, details);

  const width = () => Math.max(240, area.clientWidth);
  const step = () => (width() - margin.left - right) / Math.max(1, buckets.length);
  const left = i => margin.left + i * step();

  function indexAt(event) {
    const i = Math.floor((event.clientX - svg.getBoundingClientRect().left - margin.left) / step());
    return i >= 0 && i < buckets.length ? i : null;
  }

  function move(event) {
    const jumps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 6, PageDown: -6 };
    const last = buckets.length - 1;
    const next = event.key === 'Home' ? 0 : event.key === 'End' ? last
      : event.key in jumps ? Math.min(last, Math.max(0, (chosen ?? last) + jumps[event.key])) : null;
    if (event.key === 'Escape')
      choose(null);
    if (next === null)
      return;
    event.preventDefault();
    choose(next);
  }

  const span = bucket => `${time(bucket.at)} – ${time(Date.parse(bucket.at) + bucket_s * 1000)}`;

  function choose(i) {
    chosen = i;
    const bucket = buckets[i];
    tooltip.hidden = !bucket;
    svg.querySelector('.reading')?.remove();
    if (!bucket)
      return;
    const all = readings(bucket);
    area.setAttribute('aria-valuenow', i + 1);
    area.setAttribute('aria-valuetext', `${time(bucket.at)}: ${all.map(one => `${one.label} ${one.text}`).join(', ')}`);
    replace(tooltip, h('p', {}, span(bucket)), h('dl', {}, all.map(one => [h('dt', {}, one.label), h('dd', {}, one.text)])));
    const x = left(i) + step() / 2;
    svg.append(s('line', { class: 'reading', x1: x, x2: x, y1: margin.top, y2: height - margin.bottom }));
    const half = tooltip.offsetWidth / 2 + 4;
    tooltip.style.left = `${Math.min(width() - half, Math.max(half, x))}px`;
  }

  function draw() {
    if (!area.isConnected || buckets.length === 0)
      return;
    const w = width(), levels = ticks(buckets), y = verticalScale(levels);
    svg.setAttribute('width', w);
    svg.setAttribute('viewBox', `0 0 ${w} ${height}`);
    const every_min = w > 520 ? 3 : 5;
    const grid = levels.map(v => [
      s('line', { class: v === levels[0] ? 'axis' : 'grid', x1: margin.left, x2: w - right, y1: y(v), y2: y(v) }),
      s('text', { class: 'tick', x: margin.left - 8, y: y(v) + 4, 'text-anchor': 'end' }, tickText(v)),
    ]);
    const times = buckets.map((bucket, i) => {
      const t = new Date(bucket.at);
      return t.getSeconds() < bucket_s && t.getMinutes() % every_min === 0
        && s('text', { class: 'tick', x: Math.min(left(i), w - right - 14), y: height - 6, 'text-anchor': 'middle' }, clockMinute(bucket.at));
    });
    replace(svg, grid, times, marks(buckets, left, y, step()));
    area.setAttribute('aria-valuemax', buckets.length);
    choose(chosen);
    fillTable();
  }

  function fillTable() {
    if (!details.open || buckets.length === 0)
      return;
    const names = readings(buckets[0]).map(one => one.label);
    replace(details.querySelector('thead'), h('tr', {}, ['From', ...names].map(name => h('th', { scope: 'col' }, name))));
    replace(table, buckets.toReversed().map(bucket =>
      h('tr', {}, h('th', { scope: 'row' }, time(bucket.at)), readings(bucket).map(one => h('td', {}, one.text)))));
  }

  const observer = new ResizeObserver(draw);
  observer.observe(area);
  return {
    element,
    update(window) {
      buckets = window.buckets;
      bucket_s = window.bucket_seconds;
      draw();
    },
    close: () => observer.disconnect(),
  };
}
