// The agents: who there is, how they are, how much they have to do.
import { h, replace, setText } from './dom.js';
import { badge, icon } from './states.js';
import { ago, count, duration, percent, plural, seconds } from './format.js';
import { query, send } from './api.js';
import { pollSoon, watch } from './live.js';
import { liveTable } from './table.js';
import { attempt, confirm, note } from './dialogs.js';
import { spawnButton } from './roles.js';

const first_page = 100;
const page_limit = 1000; // what the node gives at most

function load(agent) {
  const meter = h('meter', { min: '0', max: String(agent.limit), value: String(agent.in_flight), 'aria-hidden': 'true' });
  return h('span', { class: 'load' }, meter, ` ${count(agent.in_flight)} / ${count(agent.limit)}`,
    agent.limit_declared ? '' : h('span', { class: 'hint' }, ' adaptive'));
}

const ended = agent => agent.succeeded + agent.failed;

function conditionText(agent) {
  return agent.condition === 'parked' ? `parked for ${seconds(agent.parked_ms + 999)}` : agent.condition;
}

function lastError({ last_error, problem }) {
  if (problem) // why it is unhealthy counts for more
    return h('span', { class: 'reason' }, `${problem.code}: ${problem.message}`);
  return last_error ? h('span', {}, h('span', { class: 'reason' }, `${last_error.code}: ${last_error.message}`),
    h('span', { class: 'hint' }, ` ${ago(last_error.at)}`)) : h('span', { class: 'hint nothing' }, 'none');
}

function drainButton(agent) {
  const button = h('button', { type: 'button', class: 'small', 'data-drain': agent.agent_id, onclick: drain }, icon('drain'), 'Drain',
    h('span', { class: 'unseen' }, ` ${agent.agent_id}`));
  async function drain() {
    const agreed = await confirm({
      title: 'Drain this agent?', action: 'Drain',
      text: `${agent.agent_id} gets no more tasks, finishes what it has, and is then ended by its service.`,
    });
    if (!agreed)
      return;
    const path = `/v1/agents/${encodeURIComponent(agent.agent_id)}${query({ service: agent.service, node: agent.node })}`;
    if (await attempt(button, () => send('DELETE', path)))
      note(`${agent.agent_id} is draining.`);
    pollSoon();
  }
  return button;
}

const columns = [
  {
    label: 'Agent', class: 'name', sign: a => `${a.agent_id} ${a.service} ${a.node}`,
    cell: a => h('span', {}, h('span', { class: 'id' }, a.agent_id), h('span', { class: 'hint' }, ` ${a.service} · ${a.node}`)),
  },
  { label: 'Role', class: 'short', cell: a => a.role },
  { label: 'State', sign: a => a.state, cell: a => badge(a.state) },
  { label: 'Condition', sign: conditionText, cell: a => badge(a.condition, conditionText(a)) },
  { label: 'Load', class: 'number', sign: a => `${a.in_flight}/${a.limit} ${a.limit_declared}`, cell: load },
  { label: 'Success', class: 'number', cell: a => ended(a) ? `${percent(a.success_rate)} of ${count(ended(a))}` : '–' },
  { label: 'Latency', class: 'number', cell: a => ended(a) ? duration(a.latency_ms) : '–' },
  { label: 'Idle', class: 'number', cell: a => a.in_flight > 0 ? '–' : seconds(a.idle_ms) },
  { label: 'Last error', class: 'wide', sign: a => a.problem ? a.problem.message : a.last_error ? `${a.last_error.at} ${ago(a.last_error.at)}` : '', cell: lastError },
  { label: 'Action', class: 'action', sign: a => a.state, cell: a => a.state === 'draining' ? h('span', { class: 'hint' }, 'draining') : drainButton(a) },
];

export function openAgents({ query: chosen }) {
  const role = chosen.get('role') ?? '', state = chosen.get('state') ?? '';
  const table = liveTable({ caption: 'Agents', columns, key: a => `${a.node} ${a.service} ${a.agent_id}` });
  const summary = h('p', { class: 'hint' });
  const empty = h('div', { class: 'empty', hidden: true, 'data-empty': 'agents' },
    h('p', {}, 'No agents', role || state ? ' that match' : ' yet',
      '. The node spawns them when tasks come for their role: ', h('a', { href: '#/submit' }, 'submit one'), ', or spawn one here.'));
  const more = h('button', { type: 'button', hidden: true, onclick: () => { limit = page_limit; restart(); } }, 'Show more');
  const roles = h('select', { id: 'agents-role' }, h('option', { value: role }, role || 'all'));
  const states = h('select', { id: 'agents-state' }, ['', 'ready', 'draining', 'unhealthy'].map(one => h('option', { value: one, selected: one === state }, one || 'all')));
  const spawn = h('span', {});
  const go = () => { location.hash = `#/agents${query({ role: roles.value, state: states.value })}`; };
  roles.addEventListener('change', go);
  states.addEventListener('change', go);

  let limit = first_page, end = null, known_roles = '';
  function restart() {
    end?.();
    end = watch(`/v1/agents${query({ role, state, limit })}`, (answer, problem) => {
      if (problem)
        setText(summary, problem.message);
      if (!answer)
        return;
      table.update(answer.agents);
      if (!problem)
        setText(summary, plural(answer.agents.length, 'agent') + (answer.next_cursor ? ', and more' : ''));
      table.element.hidden = answer.agents.length === 0;
      empty.hidden = answer.agents.length > 0;
      more.hidden = !answer.next_cursor || limit === page_limit;
    });
  }
  restart();
  const end_roles = watch('/v1/roles', answer => {
    const names = answer?.roles.map(one => one.role) ?? [];
    if (names.join() === known_roles)
      return;
    known_roles = names.join();
    const all = role && !names.includes(role) ? [role, ...names] : names;
    replace(roles, h('option', { value: '' }, 'all'), all.map(name => h('option', { value: name, selected: name === role }, name)));
    replace(spawn, role ? spawnButton(role, `Spawn ${role}`) : spawnChoice(names));
  });

  const element = h('div', { class: 'view' }, h('div', { class: 'view-head' }, h('h1', {}, 'Agents'), summary),
    h('div', { class: 'filters' },
      h('div', { class: 'field' }, h('label', { for: 'agents-role' }, 'Role'), roles),
      h('div', { class: 'field' }, h('label', { for: 'agents-state' }, 'State'), states), spawn),
    h('section', { class: 'card' }, table.element, empty, more));
  return { element, close: () => { end(); end_roles(); } };
}

/** A role to choose, and the button that spawns for it. */
function spawnChoice(names) {
  if (names.length === 0)
    return null;
  const choice = h('select', { id: 'spawn-role' }, names.map(name => h('option', { value: name }, name)));
  const slot = h('span', {}, spawnButton(names[0], 'Spawn'));
  choice.addEventListener('change', () => replace(slot, spawnButton(choice.value, 'Spawn')));
  return h('span', { class: 'spawn' }, h('span', { class: 'field' }, h('label', { for: 'spawn-role' }, 'New agent for'), choice), slot);
}
