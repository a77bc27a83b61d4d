// Figures and times for people. All of it is plain text.

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

let clock_offset_ms = 0;

/** Ages are told by the node's clock: the browser's may be off. */
export function setNodeTime(iso) {
  clock_offset_ms = Date.parse(iso) - Date.now();
}

export function now() {
  return Date.now() + clock_offset_ms;
}

export function count(n) {
  return n === null || n === undefined ? '–' : grouped.format(n);
}

export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Per second: two digits where there is little. */
export function rate(n) {
  return n >= 100 ? count(n) : n >= 10 ? n.toFixed(1) : n === 0 ? '0' : n.toFixed(2);
}

/** 0.98765 as "98.7 %": cut, not rounded, so that "100 %" means all. */
export function percent(x) {
  if (x === null || x === undefined)
    return '–';
  const tenths = Math.floor(x * 1000 + 1e-9);
  return tenths % 10 === 0 ? `${tenths / 10} %` : `${(tenths / 10).toFixed(1)} %`;
}

export function duration(ms) {
  if (ms === null || ms === undefined)
    return '–';
  if (ms < 1)
    return ms === 0 ? '0 ms' : `${ms.toFixed(2)} ms`;
  if (ms < 10)
    return Number.isInteger(ms) ? `${ms} ms` : `${ms.toFixed(1)} ms`;
  if (ms < 1000)
    return `${Math.round(ms)} ms`;
  if (ms < 60_000)
    return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const units = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'min'], [1000, 's']];
  const first = units.findIndex(([size]) => ms >= size);
  const [size, name] = units[first], next = units[first + 1];
  const rest = next ? Math.floor(ms % size / next[0]) : 0;
  return `${Math.floor(ms / size)} ${name}${rest ? ` ${rest} ${next[1]}` : ''}`;
}

/** For what is still counting: "7 s", not "7.31 s". */
export function seconds(ms) {
  return ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1000))} s` : duration(ms);
}

export function ago(iso) {
  if (!iso)
    return '–';
  const ms = now() - Date.parse(iso);
  return ms < 1000 ? 'just now' : `${seconds(ms)} ago`;
}

const two = n => String(n).padStart(2, '0');

/** The browser's time of day, hh:mm:ss; with the day if it is not today. */
export function time(value) {
  if (!value)
    return '–';
  const t = new Date(value), today = new Date();
  const clock = `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
  return t.toDateString() === today.toDateString() ? clock
    : `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${clock}`;
}

export function clockMinute(value) {
  return time(value).slice(-8, -3);
}

export function bytes(n) {
  return n < 1024 ? `${n} B` : n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

/** {"team": "a"} as ["team: a"]. */
export function labelTexts(labels) {
  return Object.entries(labels ?? {}).map(([name, text]) => text === '' ? name : `${name}: ${text}`);
}
