// At a glance: what is going on, how well, how fast; then the roles, the nodes of a cluster, what failed last, and
// the services.
import { h, replace, setText } from './dom.js';
import { badge } from './states.js';
import { ago, count, duration, percent, plural, rate } from './format.js';
import { get } from './api.js';
import { on, watch } from './live.js';
import { latencyPlot, throughputPlot } from './plots.js';
import { rolesTable } from './roles.js';
import { nodesTable } from './nodes.js';

const failures_shown = 5;
const failures_interval_ms = 2_000;

function figure(label, ...content) {
  return h('section', { class: 'card figure', 'aria-label': label }, h('h2', {}, label), content);
}

/** Tasks per second over the last minute, or since the first task: without the youngest bucket, which is not over. */
function lastMinute(window, name) {
  const first = window.buckets.findIndex(bucket => bucket.accepted > 0);
  const full = first < 0 ? [] : window.buckets.slice(first, -1).slice(-Math.round(60 / window.bucket_seconds));
  const buckets = full.length ? full : window.buckets.slice(-1);
  const names = name === 'ended' ? ['completed', 'failed', 'canceled', 'rejected'] : [name];
  const sum = buckets.reduce((total, bucket) => total + names.reduce((n, one) => n + bucket[one], 0), 0);
  return sum / (buckets.length * window.bucket_seconds);
}

function glance() {
  const field = (name, className = 'value') => h('span', { class: className, 'data-figure': name }, '–');
  const fields = Object.fromEntries(['submitted', 'working', 'ended_rate', 'accepted_rate', 'success', 'ended', 'p50', 'p90', 'p99']
    .map(name => [name, field(name, ['ended', 'accepted_rate', 'p90', 'p99'].includes(name) ? '' : 'value')]));
  const totals = h('ul', { class: 'totals' });
  const element = h('div', {},
    h('div', { class: 'figures' },
      figure('Now', h('p', { class: 'pair' },
        h('a', { href: '#/tasks?state=submitted' }, fields.submitted, h('span', { class: 'unit' }, 'waiting')),
        h('a', { href: '#/tasks?state=working' }, fields.working, h('span', { class: 'unit' }, 'working')))),
      figure('Throughput', h('p', {}, fields.ended_rate, h('span', { class: 'unit' }, 'ended per second')),
        h('p', { class: 'hint' }, fields.accepted_rate, ' accepted, in the last minute')),
      figure('Success', h('p', {}, fields.success), h('p', { class: 'hint' }, fields.ended)),
      figure('Latency', h('p', {}, fields.p50, h('span', { class: 'unit' }, 'median')),
        h('p', { class: 'hint' }, '90 % within ', fields.p90, ', 99 % within ', fields.p99))),
    h('section', { class: 'since', 'aria-label': 'Since the start' }, h('h2', {}, 'Since the start'), totals));

  function update(stats) {
    const { tasks, window } = stats;
    setText(fields.submitted, count(tasks.submitted));
    setText(fields.working, count(tasks.working));
    setText(fields.ended_rate, rate(lastMinute(window, 'ended')));
    setText(fields.accepted_rate, rate(lastMinute(window, 'accepted')));
    setText(fields.success, percent(stats.success_rate));
    const ended = window.buckets.reduce((n, b) => n + b.completed + b.failed + b.canceled + b.rejected, 0);
    setText(fields.ended, `${plural(ended, 'task')} ended in the last 15 minutes`);
    for (const p of ['p50', 'p90', 'p99'])
      setText(fields[p], duration(stats.latency_ms[p]));
    if (totals.childElementCount === 0)
      replace(totals, totalItems());
    const values = { ...tasks, accepted: stats.accepted, retries: stats.retries, spawned: stats.agents.spawned };
    for (const item of totals.children)
      setText(item.querySelector('.n'), count(values[item.dataset.total]));
  }
  return { element, update };
}

function totalItems() {
  const plain = (name, label) => h('li', { 'data-total': name }, h('span', { class: 'n' }), ` ${label}`);
  return [plain('accepted', 'accepted'),
    ['completed', 'failed', 'canceled', 'rejected'].map(state => h('li', { 'data-total': state },
      h('a', { href: `#/tasks?state=${state}` }, badge(state, ''), h('span', { class: 'n' }), ` ${state}`))),
    plain('retries', 'attempts repeated'), plain('spawned', 'agents spawned')];
}

function emptyCard() {
  return h('section', { class: 'card empty', 'data-empty': 'overview' }, h('h2', {}, 'No task yet'),
    h('p', {}, 'Hand in the first one with the ', h('a', { href: '#/submit' }, 'form'), ', or on the command line:'),
    h('pre', { tabindex: '0' }, h('code', {}, 'rolecall submit --role ROLE --input \'"hello"\'')));
}

function failures() {
  const list = h('ul', { class: 'failures' }, h('li', { class: 'hint' }, 'None.'));
  const element = h('section', { class: 'card' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Latest failures'), h('a', { href: '#/tasks?state=failed,rejected' }, 'All')), list);
  function update(tasks) {
    replace(list, tasks.length === 0 ? h('li', { class: 'hint' }, 'None.') : tasks.map(task => h('li', {},
      h('p', {}, badge(task.state, ''), h('a', { href: `#/tasks/${encodeURIComponent(task.task_id)}` }, task.task_id),
        h('span', { class: 'hint' }, ` ${task.role} · ${ago(task.finished_at)}`)),
      h('p', { class: 'reason' }, task.error ? `${task.error.code}: ${task.error.message}` : ''))));
  }
  return { element, update };
}

function services() {
  const list = h('ul', { class: 'services' });
  const element = h('section', { class: 'card' }, h('h2', {}, 'Services'), list);
  function update(nodes) {
    replace(list, nodes.flatMap(node => node.services).map(service => h('li', {},
      badge(service.reachable ? 'ready' : 'suspect', service.reachable ? 'reachable' : 'not reachable'),
      h('span', {}, h('strong', {}, service.service), ' ', h('span', { class: 'hint' }, `${service.url} · ${plural(service.agents, 'agent')}`)),
      service.problem && h('p', { class: 'reason' }, service.problem))));
  }
  return { element, update };
}

export function openOverview() {
  const figures = glance(), plots = [throughputPlot(), latencyPlot()], roles = rolesTable();
  const failed = failures(), hosts = services(), nodes = nodesTable(), empty = h('div', {});
  const element = h('div', { class: 'view' }, h('h1', { class: 'unseen' }, 'Overview'), empty, figures.element,
    h('div', { class: 'plots' }, plots.map(one => one.element)),
    roles.element, nodes.element, h('div', { class: 'halves' }, failed.element, hosts.element));
  let failures_count = null, asked_at = -Infinity, closed = false;

  async function loadFailures() {
    asked_at = performance.now();
    try {
      const answer = await get(`/v1/tasks?state=failed,rejected&limit=${failures_shown}`);
      if (!closed)
        failed.update(answer.tasks);
    } catch { // the banner tells; the next look at the figures tries again
      failures_count = null;
    }
  }

  const ends = [watch('/v1/stats', stats => {
    if (!stats)
      return;
    figures.update(stats);
    plots.forEach(one => one.update(stats.window));
    replace(empty, stats.accepted === 0 && emptyCard());
    const n = stats.tasks.failed + stats.tasks.rejected;
    if (n !== failures_count && performance.now() - asked_at > failures_interval_ms) {
      failures_count = n;
      loadFailures();
    }
  }), watch('/v1/nodes', answer => {
    if (!answer)
      return;
    hosts.update(answer.nodes);
    nodes.update(answer);
  }),
  on('reload', () => { failures_count = null; }),
  ...plots.map(one => one.close), roles.close, () => { closed = true; }];
  return { element, close: () => ends.forEach(end => end()) };
}
