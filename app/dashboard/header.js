// The top of the page: which node this is, whether what is shown is fresh, the theme, and the token.
import { h, replace, setText } from './dom.js';
import { icon } from './states.js';
import { seconds, time } from './format.js';
import { connection, on, tryNow, unlock, watch } from './live.js';
import { hasToken, setToken } from './api.js';

const themes = ['auto', 'light', 'dark'];
const byId = id => document.getElementById(id);

let node = null, node_read_at = 0, first_version = null;

export function startHeader() {
  startTheme();
  on('status', showConnection);
  showConnection(connection);
  watch('/v1/nodes', answer => {
    if (!answer)
      return;
    node = answer.nodes[0];
    node_read_at = Date.now();
    first_version ??= node.version;
    showFacts();
  });
  setInterval(() => { showFacts(); showRetry(); }, 1000);
}

function showFacts() {
  if (!node)
    return;
  setText(byId('node-name'), node.node);
  const up = node.uptime_ms + Date.now() - node_read_at;
  const facts = [`version ${node.version}`, node.state];
  if (connection.status === 'live')
    facts.push(`up ${seconds(up)}`);
  setText(byId('node-facts'), facts.join(' · '));
  const title = document.title.replace(/ · rolecall .*$/, '');
  document.title = `${title} · rolecall ${node.node}`;
}

const words = {
  connecting: ['clock', 'waiting', 'connecting'], live: ['check', 'good', 'live'],
  reconnecting: ['again', 'warn', 'reconnecting'], stale: ['warning', 'bad', 'stale'], locked: ['pause', 'warn', 'token needed'],
};

function showConnection({ status, heard_at }) {
  const [picture, tone, word] = words[status];
  const element = byId('connection');
  element.dataset.status = status;
  element.className = `connection badge tone-${tone}`;
  replace(element, icon(picture), h('span', {}, status === 'stale' && heard_at ? `STALE since ${time(heard_at)}` : word));
  document.documentElement.classList.toggle('is-stale', status === 'stale');
  showBanner(status, heard_at);
}

let shown_banner = null;

function showBanner(status, heard_at) {
  const newer = node && status === 'live' && node.version !== first_version;
  const name = status === 'live' ? (newer ? 'newer' : null) : status;
  if (name === shown_banner)
    return;
  shown_banner = name;
  const make = { stale: staleBanner, locked: tokenBanner, newer: newerBanner }[name];
  replace(byId('banners'), make ? make(heard_at) : null);
  if (name === 'locked')
    byId('token').focus();
}

function staleBanner(heard_at) {
  const since = heard_at ? `What you see is from ${time(heard_at)}.` : 'There is nothing to show yet.';
  return h('div', { class: 'banner tone-bad', role: 'alert', 'data-banner': 'stale' }, icon('warning'),
    h('p', {}, h('strong', {}, 'No connection to the node. '), since, ' ', h('span', { id: 'retry-text', 'aria-live': 'off' })),
    h('button', { type: 'button', onclick: tryNow }, 'Try now'));
}

function showRetry() {
  const element = byId('retry-text');
  if (!element)
    return;
  const left_s = Math.ceil((connection.retry_at - Date.now()) / 1000);
  setText(element, left_s > 0 ? `The next try is in ${left_s} s.` : 'Trying …');
}

function newerBanner() {
  return h('div', { class: 'banner tone-warn', role: 'alert', 'data-banner': 'newer' }, icon('warning'),
    h('p', {}, `The node runs version ${node.version} now, this page is of ${first_version}.`),
    h('button', { type: 'button', onclick: () => location.reload() }, 'Reload the page'));
}

/** The token stays in this tab (sessionStorage). The form is never sent anywhere by the browser. */
function tokenBanner() {
  const field = h('input', { id: 'token', type: 'password', autocomplete: 'off', required: true, 'aria-describedby': 'token-hint' });
  const submit = event => {
    event.preventDefault();
    setToken(field.value.trim());
    unlock();
  };
  return h('form', { class: 'banner tone-warn', 'data-banner': 'token', onsubmit: submit }, icon('pause'),
    h('p', {}, h('label', { for: 'token' }, h('strong', {}, 'This node wants a token. ')),
      h('span', { id: 'token-hint' }, hasToken() ? 'It does not take the one you gave.' : 'It is kept in this tab until you close it.')),
    field, h('button', { type: 'submit', class: 'primary' }, 'Unlock'));
}

function startTheme() {
  const button = byId('theme-toggle');
  let theme = document.documentElement.dataset.theme ?? 'auto';
  const show = () => {
    if (theme === 'auto')
      delete document.documentElement.dataset.theme;
    else
      document.documentElement.dataset.theme = theme;
    replace(button, icon(theme), h('span', { class: 'unseen' }, 'Theme: '), theme);
  };
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    try { localStorage.setItem('rolecall.theme', theme); } catch { /* for this page only */ }
    show();
  });
  show();
}
