// Every state has an icon, a word and a colour; none is told by the colour alone.
import { h, svgIcon } from './dom.js';

const paths = {
  clock: 'M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M8 4.5V8l2.4 1.6',
  half: 'M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M6.6 5.2v5.6L11 8z',
  check: 'M2.8 8.6l3.5 3.6 7-8',
  cross: 'M3.5 3.5l9 9m0-9l-9 9',
  slash: 'M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M3.6 3.6l8.8 8.8',
  bar: 'M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M4.8 8h6.4',
  warning: 'M8 2L14.5 13.5h-13zM8 6.2v3.4M8 11.6v.2',
  pause: 'M5.5 3v10M10.5 3v10',
  drain: 'M8 2v8.5M4.5 7.2L8 10.7l3.5-3.5M3 13.8h10',
  again: 'M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 1.5V4.6h-3.2',
  plus: 'M8 3v10M3 8h10',
  auto: 'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12v12M10.5 3.5v9M12.8 5.5v5',
  light: 'M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M8 1v1.2M8 13.8V15M1 8h1.2M13.8 8H15M3 3l.9.9M12.1 12.1l.9.9M13 3l-.9.9M3.9 12.1L3 13',
  dark: 'M13.4 9.8A6 6 0 0 1 6.2 2.6a6 6 0 1 0 7.2 7.2z',
};

export function icon(name) {
  return svgIcon(paths[name]);
}

export const task_states = ['submitted', 'working', 'completed', 'failed', 'canceled', 'rejected'];
export const terminal_states = new Set(['completed', 'failed', 'canceled', 'rejected']);

const looks = {
  submitted: ['clock', 'waiting'], working: ['half', 'busy'], completed: ['check', 'good'], failed: ['cross', 'bad'],
  canceled: ['slash', 'off'], rejected: ['bar', 'warn'],
  running: ['half', 'busy'], retryable: ['again', 'warn'], busy: ['pause', 'off'],
  ready: ['check', 'good'], draining: ['drain', 'off'], starting: ['clock', 'waiting'],
  up: ['check', 'good'], leaving: ['drain', 'off'], connecting: ['again', 'waiting'], refused: ['bar', 'bad'],
  unreachable: ['warning', 'bad'], ok: ['check', 'good'], parked: ['pause', 'warn'], suspect: ['warning', 'warn'], unhealthy: ['warning', 'bad'],
};

/** An icon with its word: badge('failed'), or with other words: badge('parked', 'parked for 3 s'). */
export function badge(state, words = state) {
  const [picture, tone] = looks[state] ?? ['bar', 'off'];
  return h('span', { class: `badge tone-${tone}`, 'data-state': state }, icon(picture), h('span', {}, words));
}
