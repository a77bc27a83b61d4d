// The two plots of the overview: how much is done, and how long it takes.
import { h, s } from './dom.js';
import { count, duration, rate } from './format.js';
import { niceTicks, plot } from './plot.js';

const outcomes = ['completed', 'failed', 'canceled', 'rejected'];
let pattern_count = 0;

/** Hatchings, so that the outcomes differ without their colours too. Ids are unique in the page. */
function patterns(prefix) {
  const hatch = (name, path, size = 6) => s('pattern', {
    id: `${prefix}-${name}`, class: `fill-${name}`, width: size, height: size, patternUnits: 'userSpaceOnUse',
  }, s('rect', { width: size, height: size, class: 'ground' }), s('path', { d: path, class: 'strokes' }));
  return s('defs', {}, hatch('completed', ''), hatch('failed', 'M-1 7L7-1M-1 1L1-1M5 7L7 5'),
    hatch('canceled', 'M3 2.9v.2'), hatch('rejected', 'M0 3h6M3 0v6'));
}

function outcomeSwatch(name) {
  const prefix = `p${++pattern_count}`;
  return s('svg', { class: 'swatch', width: 14, height: 14, 'aria-hidden': 'true' }, patterns(prefix),
    s('rect', { width: 14, height: 14, rx: 3, fill: `url(#${prefix}-${name})` }));
}

function lineSwatch(line) {
  return s('svg', { class: 'swatch', width: 30, height: 14, 'aria-hidden': 'true' },
    s('path', { d: 'M1 7h28', class: `line ${line}` }), marker(line, 15, 7));
}

export function throughputPlot() {
  const prefix = `p${++pattern_count}`;
  let bucket_s = 10;
  const perSecond = n => n / bucket_s;
  const made = plot({
    name: 'throughput', title: 'Throughput', hint: 'Tasks per second by outcome, the last 15 minutes',
    legend: [...outcomes.map(name => ({ swatch: outcomeSwatch(name), label: name })), { swatch: lineSwatch('accepted'), label: 'accepted' }],
    ticks: buckets => niceTicks(Math.max(...buckets.map(b =>
      perSecond(Math.max(b.accepted, outcomes.reduce((sum, name) => sum + b[name], 0)))))),
    tickText: v => `${v >= 1000 ? count(v) : v}/s`,
    readings: b => [{ label: 'accepted', text: `${rate(perSecond(b.accepted))}/s` },
      ...outcomes.map(name => ({ label: name, text: `${rate(perSecond(b[name]))}/s` }))],
    marks(buckets, left, y, step) {
      const gap = step > 5 ? 1 : 0.4;
      const bars = buckets.map((bucket, i) => {
        let sum = 0;
        return outcomes.filter(name => bucket[name] > 0).map(name => {
          const from = y(perSecond(sum)), to = y(perSecond(sum += bucket[name]));
          return s('rect', {
            x: left(i) + gap / 2, y: to, width: Math.max(1, step - gap), height: Math.max(0.75, from - to), fill: `url(#${prefix}-${name})`,
          });
        });
      });
      const path = buckets.map((b, i) => `${i ? 'L' : 'M'}${left(i)} ${y(perSecond(b.accepted))}H${left(i + 1)}`).join('');
      return [patterns(prefix), bars, s('path', { class: 'line accepted', d: path })];
    },
  });
  return { ...made, update(window) { bucket_s = window.bucket_seconds; made.update(window); } };
}

const percentiles = ['p50', 'p90', 'p99'];

/** A circle for p50, a square for p90, a triangle for p99. */
function marker(line, x, y) {
  const shapes = {
    p50: `M${x - 3} ${y}a3 3 0 1 0 6 0a3 3 0 1 0-6 0`, p90: `M${x - 3} ${y - 3}h6v6h-6z`, p99: `M${x} ${y - 4}l4 7h-8z`,
  };
  return shapes[line] ? s('path', { class: `marker ${line}`, d: shapes[line] }) : null;
}

/** Powers of ten (with 2 and 5 where there is room) when the figures are far apart, else even steps from 0. */
function latencyTicks(buckets) {
  const all = buckets.flatMap(b => percentiles.map(p => b[`${p}_ms`])).filter(v => v !== null);
  const max = Math.max(1, ...all), min = Math.max(0.1, Math.min(max, ...all));
  if (max / min < 25)
    return niceTicks(max);
  const ticks = [];
  const steps = max / min > 2000 ? [1] : [1, 3];
  for (let power = 10 ** Math.floor(Math.log10(min)); ; power *= 10)
    for (const step of steps) {
      const tick = Number((step * power).toPrecision(3));
      if (tick <= min)
        ticks.length = 0;
      ticks.push(tick);
      if (tick >= max)
        return ticks;
    }
}

/** One unit from a second on: "1 min 40 s" would not fit beside the plot. */
export function latencyTickText(ms) {
  return ms < 1000 ? `${Number(ms.toPrecision(3))} ms` : `${Number((ms / 1000).toPrecision(3))} s`;
}

/** The labels at the right end, moved apart where the lines are close. */
function endLabels(buckets, left, y) {
  const ends = percentiles.flatMap(p => {
    const i = buckets.findLastIndex(b => b[`${p}_ms`] !== null);
    return i < 0 ? [] : [{ p, y: y(buckets[i][`${p}_ms`]) + 4 }];
  }).sort((a, b) => b.y - a.y);
  ends.forEach((end, i) => { if (i > 0) end.y = Math.min(end.y, ends[i - 1].y - 13); });
  return ends.map(end => s('text', { class: `end ${end.p}`, x: left(buckets.length) + 6, y: end.y }, end.p));
}

export function latencyPlot() {
  return plot({
    name: 'latency', title: 'Latency', hint: 'From submit to result, percentiles, the last 15 minutes', right: 40,
    legend: [{ swatch: lineSwatch('p50'), label: 'p50 (median)' }, { swatch: lineSwatch('p90'), label: 'p90' }, { swatch: lineSwatch('p99'), label: 'p99' }],
    ticks: latencyTicks,
    tickText: latencyTickText,
    readings: b => percentiles.map(p => ({ label: p, text: duration(b[`${p}_ms`]) })),
    marks(buckets, left, y, step) {
      const lines = percentiles.map(p => {
        const at = i => buckets[i]?.[`${p}_ms`] ?? null, middle = i => left(i) + step / 2;
        let path = '';
        const markers = [];
        buckets.forEach((bucket, i) => {
          const v = at(i);
          if (v === null)
            return;
          path += `${at(i - 1) === null ? 'M' : 'L'}${middle(i).toFixed(1)} ${y(v).toFixed(1)}`;
          const alone = at(i - 1) === null && at(i + 1) === null;
          if (alone || i % 10 === 9 || (at(i + 1) === null && at(i - 1) !== null))
            markers.push(marker(p, middle(i), y(v)));
        });
        return [s('path', { class: `line ${p}`, d: path }), markers];
      });
      return [lines, endLabels(buckets, left, y)];
    },
  });
}
