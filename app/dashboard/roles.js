// The roles: what waits, runs and could run, the agents behind it, and what is wrong.
import { h } from './dom.js';
import { icon } from './states.js';
import { count, plural } from './format.js';
import { send } from './api.js';
import { pollSoon, watch } from './live.js';
import { liveTable } from './table.js';
import { attempt, note } from './dialogs.js';

const spawn_timeout_ms = 100_000; // some agents take long to start

/** Running, free, waiting as one bar. Each part that is not empty stays visible, however small its share. */
function capacityBar(role) {
  const part = (name, n) => {
    if (n <= 0)
      return null;
    const element = h('span', { class: `part part-${name}` });
    element.style.flexGrow = n;
    return element;
  };
  return h('span', { class: 'capacity', 'aria-hidden': 'true' },
    part('running', role.running), part('free', role.free_slots), part('waiting', role.waiting),
    role.running + role.free_slots + role.waiting === 0 && h('span', { class: 'part part-none' }));
}

function agentsText(role) {
  const starting = role.starting > 0 ? `, ${count(role.starting)} starting` : '';
  return `${count(role.ready)} ready${starting}`;
}

export function spawnButton(role_name, label = 'Spawn') {
  const button = h('button', { type: 'button', class: 'small', 'data-spawn': role_name, onclick: spawn },
    icon('plus'), label, h('span', { class: 'unseen' }, ` an agent for ${role_name}`));
  async function spawn() {
    const agent = await attempt(button, () => send('POST', '/v1/agents', { body: { role: role_name }, timeout_ms: spawn_timeout_ms }));
    if (!agent)
      return;
    note(`Spawned ${agent.agent_id}.`);
    pollSoon();
  }
  return button;
}

const columns = [
  { label: 'Role', class: 'name', sign: r => r.role, cell: r => h('a', { href: `#/tasks?role=${encodeURIComponent(r.role)}` }, r.role) },
  { label: 'Running, free, waiting', class: 'wide', sign: r => `${r.running} ${r.free_slots} ${r.waiting}`, cell: capacityBar },
  { label: 'Waiting', class: 'number', cell: r => count(r.waiting) },
  { label: 'Running', class: 'number', cell: r => count(r.running) },
  { label: 'Slots', class: 'number', cell: r => `${count(r.slots)} (${count(r.free_slots)} free)` },
  { label: 'Agents', class: 'short', sign: agentsText, cell: r => h('a', { href: `#/agents?role=${encodeURIComponent(r.role)}` }, agentsText(r)) },
  { label: 'Min – max', class: 'number', cell: r => `${count(r.min_agents)} – ${count(r.max_agents)}` },
  {
    label: 'Trouble', class: 'trouble', sign: r => r.trouble ? `${r.trouble.code}: ${r.trouble.message}` : '',
    cell: r => r.trouble ? h('span', { class: 'tone-bad with-icon' }, icon('warning'), h('span', {}, `${r.trouble.code}: ${r.trouble.message}`))
      : h('span', { class: 'hint nothing' }, 'none'),
  },
  { label: 'Action', class: 'action', sign: () => '', cell: r => spawnButton(r.role) },
];

export function rolesTable() {
  const table = liveTable({ caption: 'Roles', columns, key: role => role.role });
  const summary = h('span', { class: 'hint' });
  const empty = h('p', { class: 'hint', hidden: true }, 'No service offers a role yet. Start one with ',
    h('code', {}, 'rolecall agents --roles FILE'), ' and name it in the configuration of the node.');
  const element = h('section', { class: 'card' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Roles'), summary), table.element, empty);
  const close = watch('/v1/roles', answer => {
    if (!answer)
      return;
    table.update(answer.roles);
    const trouble = answer.roles.filter(role => role.trouble).length;
    summary.textContent = plural(answer.roles.length, 'role') + (trouble ? `, ${trouble} with trouble` : '');
    table.element.hidden = answer.roles.length === 0;
    empty.hidden = answer.roles.length > 0;
  });
  return { element, close };
}
