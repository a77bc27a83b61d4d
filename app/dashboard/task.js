// One task: everything the node knows of it, its attempts, why it is where it is; cancel and retry.
import { h, replace, throttled } from './dom.js';
import { badge, icon, terminal_states } from './states.js';
import { ago, count, duration, time } from './format.js';
import { exchange, get, Problem, query, send } from './api.js';
import { on } from './live.js';
import { attempt, confirm, copy, note } from './dialogs.js';
import { parseFaithfully, payload } from './json.js';
import { timeline, whyCard } from './attempts.js';

const reload_interval_ms = 400;
const most_links = 20;

function cancelButton(task, reload) {
  const button = h('button', { type: 'button', class: 'danger', onclick: cancel }, icon('slash'), 'Cancel task');
  async function cancel() {
    const agreed = await confirm({
      title: 'Cancel this task?', action: 'Cancel task',
      text: `${task.task_id} will not be completed. What its agent has done by now may have had effects.`,
    });
    if (agreed && await attempt(button, () => send('POST', `/v1/tasks/${encodeURIComponent(task.task_id)}/cancel`)))
      note(`Canceled ${task.task_id}.`);
    reload();
  }
  return button;
}

function retryButton(task) {
  const button = h('button', { type: 'button', class: 'primary', onclick: retry }, icon('again'), 'Retry');
  async function retry() {
    const agreed = await confirm({
      title: 'Run this task again?', action: 'Retry', dangerous: false,
      text: `A new task with the input of ${task.task_id} is submitted. This one stays as it is.`,
    });
    const made = agreed && await attempt(button, () => send('POST', `/v1/tasks/${encodeURIComponent(task.task_id)}/retry`));
    if (!made)
      return;
    note(`Submitted ${made.task_id}.`);
    location.hash = `#/tasks/${encodeURIComponent(made.task_id)}`;
  }
  return button;
}

function facts(task) {
  const fact = (name, ...value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const at = iso => iso ? h('time', { datetime: iso, title: iso }, `${time(iso)} (${ago(iso)})`) : '–';
  const labels = Object.entries(task.labels);
  const link = id => h('a', { class: 'id', href: `#/tasks/${encodeURIComponent(id)}` }, id);
  return h('dl', { class: 'facts' },
    fact('Role', h('a', { href: `#/tasks?role=${encodeURIComponent(task.role)}` }, task.role)),
    fact('Agent', task.agent_id ? `${task.agent_id} (${task.service})` : '–'),
    fact('Submitted', at(task.submitted_at)), fact('Started', at(task.started_at)), fact('Finished', at(task.finished_at)),
    fact('Waited', duration(task.queued_ms)), fact('Ran', duration(task.run_ms)),
    fact('Attempts', `${count(task.attempts)} of at most ${count(task.max_attempts)}`),
    fact('Timeout', duration(task.timeout_ms)), fact('Priority', task.priority),
    fact('Skills', task.skills.length ? task.skills.join(', ') : 'none asked for'),
    fact('Context', task.context_id || '–'),
    fact('Labels', labels.length ? labels.map(([name, text]) => h('a', { class: 'tag', href: `#/tasks${query({ label: `${name}:${text}` })}` }, text ? `${name}: ${text}` : name)) : '–'),
    task.deadline_at && fact('Deadline', h('time', { datetime: task.deadline_at, title: task.deadline_at }, time(task.deadline_at))),
    task.depends_on && fact('Depends on', task.depends_on.slice(0, most_links).map(id => [link(id), ' ']),
      task.depends_on.length > most_links && `and ${count(task.depends_on.length - most_links)} more`),
    task.retry_of && fact('Retry of', link(task.retry_of)),
    task.retried_as && fact('Retried as', link(task.retried_as)));
}

function errorCard({ state, error }) {
  if (!error)
    return null;
  const said = terminal_states.has(state) ? `It was ${state}` : 'The last attempt did not succeed';
  return h('section', { class: 'card error', 'data-part': 'error' },
    h('h2', {}, icon('warning'), state === 'failed' ? 'It failed' : said), h('p', {}, h('code', {}, error.code)),
    h('pre', { class: 'reason', tabindex: '0', 'aria-label': 'Reason' }, error.message));
}

/** Parts of the page that are made anew only when what they show has changed. */
function parts(names) {
  const slots = new Map(names.map(name => [name, { element: h('div', { class: `part-${name}` }), sign: null }]));
  return {
    elements: [...slots.values()].map(slot => slot.element),
    clear() {
      for (const slot of slots.values()) {
        slot.sign = null;
        slot.element.replaceChildren();
      }
    },
    show(name, sign, make) {
      const slot = slots.get(name);
      if (slot.sign === sign)
        return;
      slot.sign = sign;
      replace(slot.element, make());
    },
  };
}

export function openTask({ id }) {
  const path = `/v1/tasks/${encodeURIComponent(id)}`;
  const page = parts(['head', 'error', 'facts', 'timeline', 'why', 'input', 'output']);
  const element = h('div', { class: 'view task' }, h('p', { class: 'crumb' }, h('a', { href: '#/tasks' }, '← Tasks')), page.elements);
  let task = null, closed = false;

  function show(text) {
    task = JSON.parse(text);
    const faithful = parseFaithfully(text);
    page.show('head', task.state, () => h('div', { class: 'view-head' },
      h('h1', { class: 'id' }, task.task_id), h('span', { id: 'task-state', role: 'status' }, badge(task.state)),
      h('span', { class: 'actions' },
        h('button', { type: 'button', class: 'quiet', onclick: () => copy(location.href) }, 'Copy link'),
        terminal_states.has(task.state) ? task.state !== 'completed' && retryButton(task) : cancelButton(task, reload))));
    page.show('error', JSON.stringify([task.error, task.state]), () => errorCard(task));
    page.show('input', JSON.stringify(faithful.input), () => h('div', { class: 'card' }, payload('Input', faithful.input)));
    page.show('output', 'output' in task ? JSON.stringify(faithful.output) : 'none', () =>
      'output' in task && h('div', { class: 'card' }, payload('Output', faithful.output)));
    tick();
  }

  /** What changes with time alone. */
  function tick() {
    if (!task)
      return;
    const second = terminal_states.has(task.state) ? Math.floor(Date.now() / 10_000) : Math.floor(Date.now() / 1000);
    page.show('facts', JSON.stringify([task, second]), () => h('section', { class: 'card', 'aria-label': 'Facts' }, facts(task)));
    page.show('timeline', JSON.stringify([task.history, task.state, terminal_states.has(task.state) || second]), () => timeline(task));
  }

  async function load() {
    try {
      const [view, why] = await Promise.all([exchange('GET', path), get(`${path}/why`).catch(() => null)]);
      if (closed)
        return;
      show(view.text);
      page.show('why', JSON.stringify(why), () => why && whyCard(why));
    } catch (error) {
      if (!(error instanceof Problem))
        throw error;
      if (closed || error.status === 0 || error.status === 401)
        return; // the banner says so
      task = null; // what was known of it may be wrong now
      page.clear();
      page.show('head', error.message, () => [h('h1', {}, error.status === 404 ? 'No such task' : 'It cannot be shown'),
        h('p', { class: 'problem' }, error.message),
        error.status === 404 && h('p', { class: 'hint' }, 'The node keeps the tasks that ended for a limited time, and knows only its own.')]);
    }
  }

  const reload = throttled(load, reload_interval_ms);
  const quoted = JSON.stringify(id); // most events are about others: those need not be parsed
  const end = on('task', text => { if (text.includes(quoted) && JSON.parse(text).task_id === id) reload(); });
  const clock = setInterval(tick, 1000);
  load();
  return { element, title: id, refresh: reload, close() { closed = true; end(); clearInterval(clock); } };
}
