// The attempts of a task along time, and the node's own words on why a task is where it is.
import { h } from './dom.js';
import { badge, icon } from './states.js';
import { count, duration, now, percent, plural, time } from './format.js';

export function timeline(task) {
  const from = Date.parse(task.submitted_at);
  const ends = task.history.map(one => Date.parse(one.started_at) + (one.run_ms ?? 0));
  const to = task.finished_at ? Date.parse(task.finished_at) : Math.max(now(), ...ends);
  const span = Math.max(1, to - from);
  const share = t => Math.min(100, Math.max(0, (t - from) / span * 100));

  const items = task.history.map(one => {
    const started = Date.parse(one.started_at);
    const running = one.verdict === 'running';
    const ended = running ? to : started + one.run_ms;
    const bar = h('span', { class: `bar bar-${one.verdict}` });
    bar.style.left = `${Math.min(99, share(started))}%`;
    bar.style.width = `${Math.max(1, share(ended) - share(started))}%`;
    return h('li', { class: 'attempt', 'data-verdict': one.verdict },
      h('p', {}, h('strong', {}, `Attempt ${one.attempt}`), badge(one.verdict), h('span', { class: 'id' }, one.agent_id),
        h('span', { class: 'hint' }, `at +${duration(Math.max(0, started - from))}, ${running ? 'running for' : 'took'} ${duration(running ? Math.max(0, ended - started) : one.run_ms)}`)),
      h('span', { class: 'track', 'aria-hidden': 'true' }, bar),
      one.error && h('p', { class: 'reason' }, `${one.error.code}: ${one.error.message}`));
  });
  const earlier = task.attempts - task.history.length;
  return h('section', { class: 'card', 'data-part': 'timeline' }, h('h2', {}, 'Attempts'),
    items.length === 0 ? h('p', { class: 'hint' }, task.finished_at ? 'There was none.' : 'None yet: it waits.')
      : [earlier > 0 && h('p', { class: 'hint' }, `The latest ${task.history.length} of ${count(task.attempts)}.`),
        h('ol', { class: 'timeline' }, items),
        h('p', { class: 'ends hint' }, h('span', {}, `submitted ${time(task.submitted_at)}`),
          h('span', {}, `${task.finished_at ? 'finished' : 'now'} +${duration(span)}`))]);
}

const columns = [
  ['Agent', one => [h('span', { class: 'id' }, one.agent_id), ' ', one.chosen && h('span', { class: 'tag' }, 'chosen')], 'name'],
  ['Could take it', one => one.eligible ? h('span', { class: 'tone-good with-icon' }, icon('check'), 'yes') : h('span', { class: 'tone-off with-icon' }, icon('cross'), 'no')],
  ['Why', one => one.note],
  ['Free slots', one => `${count(one.free_slots)} of ${count(one.max_concurrency)}`, 'number'],
  ['Success', one => percent(one.success_rate), 'number'],
  ['Latency', one => duration(one.latency_ms), 'number'],
];

export function whyCard(why) {
  const rows = why.candidates.map(one => h('tr', { role: 'row', class: one.chosen ? 'chosen' : '' },
    columns.map(([label, cell, css]) => h('td', { role: 'cell', class: css, 'data-label': label }, cell(one)))));
  const place = why.position ? `Place ${count(why.position)} of ${count(why.waiting)} in the line. ` : '';
  return h('section', { class: 'card', 'data-part': 'why' }, h('h2', {}, 'Why'),
    h('p', { class: 'explanation' }, why.explanation),
    h('p', { class: 'hint' }, place, h('code', {}, why.reason), why.decided_at && ` decided ${time(why.decided_at)}`),
    rows.length > 0 && h('table', { role: 'table', class: 'cards' }, h('caption', { class: 'unseen' }, 'Candidates'),
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map(([label, , css]) =>
        h('th', { role: 'columnheader', scope: 'col', class: css }, label)))),
      h('tbody', { role: 'rowgroup' }, rows)),
    why.omitted > 0 && h('p', { class: 'hint' }, `${plural(why.omitted, 'further candidate')} not shown.`));
}
