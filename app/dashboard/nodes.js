// The nodes of a cluster, and how each is linked with the one that is asked.
import { h } from './dom.js';
import { badge } from './states.js';
import { bytes, count, duration, plural, seconds } from './format.js';
import { liveTable } from './table.js';

const name = ({ node, link }) => node ?? link.address;

function linkText({ link }) {
  return link ? `${link.state} for ${seconds(link.since_ms)}` : 'this node';
}

function linkCell(node) {
  if (!node.link)
    return h('span', { class: 'hint' }, 'this node');
  return h('span', {}, badge(node.link.state, linkText(node)), node.link.problem && h('p', { class: 'reason' }, node.link.problem));
}

const columns = [
  {
    label: 'Node', class: 'name', sign: n => `${name(n)} ${n.link?.address ?? ''}`,
    cell: n => h('span', {}, h('span', { class: 'id' }, name(n)), n.node && n.link?.address && h('span', { class: 'hint' }, ` ${n.link.address}`)),
  },
  { label: 'State', sign: n => n.state, cell: n => badge(n.state) },
  { label: 'Link', class: 'wide', sign: n => `${linkText(n)} ${n.link?.problem ?? ''}`, cell: linkCell },
  { label: 'Round trip', class: 'number', cell: n => duration(n.link?.round_trip_ms) },
  { label: 'Lag', class: 'number', cell: n => n.link ? plural(n.link.lag, 'event') : '–' },
  { label: 'Agents', class: 'number', cell: n => count(n.agents) },
  { label: 'Open tasks', class: 'number', cell: n => count(n.open_tasks) },
  { label: 'Runs there, here', class: 'number', cell: n => n.link ? `${count(n.link.attempts)}, ${count(n.link.serving)}` : '–' },
  { label: 'Sent, received', class: 'number', cell: n => n.link ? `${bytes(n.link.sent_bytes)}, ${bytes(n.link.received_bytes)}` : '–' },
];

/** A card that is there if the node is of a cluster. */
export function nodesTable() {
  const table = liveTable({ caption: 'Nodes', columns, key: name });
  const summary = h('span', { class: 'hint' });
  const element = h('section', { class: 'card', hidden: true, 'aria-label': 'Nodes' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Nodes'), summary), table.element);
  function update({ cluster, nodes }) {
    element.hidden = cluster === undefined;
    if (element.hidden)
      return;
    table.update(nodes);
    const up = nodes.filter(node => node.link?.state === 'up').length;
    summary.textContent = `cluster ${cluster}, ${count(up)} of ${plural(nodes.length - 1, 'link')} up`;
  }
  return { element, update };
}
