// The list of tasks: filtered, paged, live. It never holds more than a page, whatever flows through the node.
import { h, replace, setText, throttled } from './dom.js';
import { badge, task_states } from './states.js';
import { ago, count, duration, labelTexts, now, plural, seconds, time } from './format.js';
import { get, query, Problem } from './api.js';
import { on, watch } from './live.js';
import { liveTable } from './table.js';
import { TaskPage } from './task_page.js';

const page_size = 50;
const refill_interval_ms = 3_000;
const labels_shown = 3;

export const taskHref = id => `#/tasks/${encodeURIComponent(id)}`;

function ran(task) {
  if (!task.started_at)
    return '–';
  return task.state === 'working' ? seconds(now() - Date.parse(task.started_at)) : duration(task.run_ms);
}

function waited(task) {
  return task.state === 'submitted' ? seconds(now() - Date.parse(task.submitted_at)) : duration(task.queued_ms);
}

function labels(task) {
  const texts = labelTexts(task.labels);
  return texts.length ? h('span', {}, texts.slice(0, labels_shown).map(text => h('span', { class: 'tag' }, text)),
    texts.length > labels_shown && h('span', { class: 'hint' }, ` +${texts.length - labels_shown}`)) : '';
}

const reason = task => task.error ? `${task.error.code}: ${task.error.message}` : '';

const columns = [
  { label: 'State', class: 'state', sign: t => t.state, cell: t => badge(t.state) },
  { label: 'Task', class: 'name short', sign: t => t.task_id, cell: t => h('a', { class: 'id', href: taskHref(t.task_id) }, t.task_id) },
  { label: 'Role', class: 'short', cell: t => t.role },
  { label: 'Agent', class: 'id short minor', cell: t => t.agent_id ?? '–' },
  { label: 'Attempts', class: 'number minor', cell: t => count(t.attempts) },
  { label: 'Waited', class: 'number minor', cell: waited },
  { label: 'Ran', class: 'number', cell: ran },
  { label: 'Submitted', class: 'number', sign: t => ago(t.submitted_at), cell: t => h('time', { datetime: t.submitted_at, title: time(t.submitted_at) }, ago(t.submitted_at)) },
  { label: 'Labels', class: 'labels', sign: t => JSON.stringify(t.labels), cell: labels },
  { label: 'Reason', class: 'wide', sign: reason, cell: t => reason(t) && h('span', { class: 'reason' }, reason(t)) },
];

/** The filters are in the address; changing one opens the list anew. */
function filterForm(filter) {
  const roles = h('select', { id: 'filter-role' }, h('option', { value: filter.role }, filter.role || 'all'));
  const label = h('input', { id: 'filter-label', type: 'text', value: filter.label.join(', '), placeholder: 'name:text', autocomplete: 'off', spellcheck: 'false' });
  const states = task_states.map(state => h('input', { id: `filter-${state}`, type: 'checkbox', value: state, checked: filter.state.includes(state) }));
  const go = () => {
    const state = states.filter(box => box.checked).map(box => box.value).join(',');
    const labels = label.value.split(',').map(text => text.trim().replace(/^([^:]*?)\s*:\s*/, '$1:')).filter(Boolean);
    location.hash = `#/tasks${query({ role: roles.value, state, label: labels })}`;
  };
  const element = h('form', { class: 'filters', 'aria-label': 'Filters', onsubmit: event => { event.preventDefault(); go(); }, onchange: go },
    h('div', { class: 'field' }, h('label', { for: 'filter-role' }, 'Role'), roles),
    h('fieldset', { class: 'chips' }, h('legend', {}, 'State'), states.map(box =>
      h('span', { class: 'chip' }, box, h('label', { for: box.id }, badge(box.value))))),
    h('div', { class: 'field' }, h('label', { for: 'filter-label' }, 'Label'), label),
    (filter.role || filter.state.length > 0 || filter.label.length > 0) && h('a', { class: 'clear', href: '#/tasks' }, 'Clear'));
  const end = watch('/v1/roles', answer => {
    const names = [...new Set([filter.role, ...answer?.roles.map(role => role.role) ?? []].filter(Boolean))];
    if (document.activeElement !== roles && roles.options.length !== names.length + 1)
      replace(roles, h('option', { value: '' }, 'all'), names.map(name => h('option', { value: name, selected: name === filter.role }, name)));
  });
  return { element, end };
}

function emptyState(filtered) {
  return filtered ? [h('p', {}, 'No task matches. '), h('p', {}, h('a', { href: '#/tasks' }, 'Show all tasks'))]
    : [h('p', {}, 'No task yet. Hand in the first one with the ', h('a', { href: '#/submit' }, 'form'), ', or on the command line:'),
      h('pre', { tabindex: '0' }, h('code', {}, 'rolecall submit --role ROLE --input \'"hello"\''))];
}

export function openTasks({ query: chosen }) {
  const filter = {
    role: chosen.get('role') ?? '', state: (chosen.get('state') ?? '').split(',').filter(Boolean), label: chosen.getAll('label'),
  };
  const cursor = chosen.get('cursor') ?? '';
  const address = { role: filter.role, state: filter.state.join(','), label: filter.label };
  const filtered = Boolean(filter.role || filter.state.length || filter.label.length);
  const page = new TaskPage(filter, page_size, cursor === '');
  const table = liveTable({ caption: 'Tasks', columns, key: task => task.task_id, rowClass: task => `row-${task.state}` });
  const form = filterForm(filter);
  const summary = h('p', { class: 'hint', id: 'tasks-summary' });
  const problem_text = h('p', { class: 'problem', role: 'alert', hidden: true });
  const empty = h('div', { class: 'empty', hidden: true, 'data-empty': 'tasks' }, emptyState(filtered));
  const newest = h('a', { href: `#/tasks${query(address)}`, hidden: cursor === '' }, '← Newest');
  const older = h('a', { hidden: true }, 'Older →');
  let next_cursor = null, loaded_at = -Infinity, loading = false, again = false, closed = false;

  const draw = throttled(() => {
    if (closed)
      return;
    const tasks = page.shown();
    table.update(tasks);
    const loaded = loaded_at > 0;
    table.element.hidden = tasks.length === 0;
    empty.hidden = tasks.length > 0 || !loaded || !problem_text.hidden;
    const held = page.held();
    setText(summary, !loaded ? 'Loading …' : plural(tasks.length, 'task') + (next_cursor || cursor ? ' on this page' : '')
      + (held ? `, ${count(held)} new held back while you are in the list` : cursor === '' ? ', live' : ''));
    older.hidden = !next_cursor;
    if (next_cursor)
      older.href = `#/tasks${query({ ...address, cursor: next_cursor })}`;
    if (page.thin() && next_cursor && performance.now() - loaded_at > refill_interval_ms)
      load();
  });

  async function load() {
    again = loading;
    if (loading)
      return;
    loading = true;
    loaded_at = Math.max(loaded_at, 0);
    try {
      page.loading();
      const answer = await get(`/v1/tasks${query({ ...address, limit: page_size, cursor })}`);
      next_cursor = answer.next_cursor ?? null;
      page.replace(answer.tasks);
      problem_text.hidden = true;
    } catch (error) {
      if (!(error instanceof Problem))
        throw error;
      problem_text.textContent = error.message;
      problem_text.hidden = error.status === 0 || error.status === 401; // the banner says so
    } finally {
      loading = false;
      loaded_at = performance.now();
      draw();
    }
    if (again)
      load();
  }

  // Rows must not jump away under a pointer or the keyboard's focus: then only what is shown changes.
  const hold = on_hold => () => { page.hold(on_hold); draw(); };
  const card = h('section', {
    class: 'card', onfocusin: hold(true), onfocusout: hold(false),
    onpointerenter: event => event.pointerType === 'mouse' && hold(true)(), onpointerleave: hold(false),
  }, problem_text, table.element, empty);
  const element = h('div', { class: 'view' }, h('div', { class: 'view-head' }, h('h1', {}, 'Tasks'), summary), form.element, card,
    h('nav', { class: 'paging', 'aria-label': 'Pages' }, newest, older));

  const end_events = on('task', text => { if (page.apply(JSON.parse(text))) draw(); });
  const clock = setInterval(draw, 1000);
  load();
  return {
    element, refresh: load,
    close() { closed = true; end_events(); form.end(); clearInterval(clock); },
  };
}
