// What the page knows of the node, and how fresh it is: one event stream, and the figures that are polled
// beside it. Views subscribe; nothing here touches the page.
import { exchange, Problem } from './api.js';
import { Stream } from './stream.js';
import { setNodeTime } from './format.js';

const poll_interval_ms = 2_000; // while something happens
const idle_interval_ms = 10_000; // while nothing does: the window of the figures moves on
const settle_ms = 200; // after an event, for those that come with it
const stale_after_ms = 1_500; // without a connection
const hidden_limit_ms = 30_000; // a page that nobody sees lets go of its stream

const listeners = new Map(); // topic -> Set of functions
const watched = new Map(); // path -> {uses, etag, value}

/** status: connecting, live, reconnecting, stale, locked. `heard_at`: when the node was heard last. */
export const connection = { status: 'connecting', heard_at: null, problem: null, retry_at: 0 };

/** Topics: status, reload (show everything anew), task and agent (JSON text of an event). Gives the way out. */
export function on(topic, callback) {
  if (!listeners.has(topic))
    listeners.set(topic, new Set());
  listeners.get(topic).add(callback);
  return () => listeners.get(topic).delete(callback);
}

function tell(topic, value) {
  for (const callback of listeners.get(topic) ?? [])
    callback(value);
}

/** Polls `path` as long as somebody watches it; callback(value, problem) is called when it has changed. */
export function watch(path, callback) {
  const entry = watched.get(path) ?? { uses: new Set(), etag: null, value: null };
  watched.set(path, entry);
  entry.uses.add(callback);
  if (entry.value !== null)
    queueMicrotask(() => entry.uses.has(callback) && callback(entry.value, null));
  poll(path, entry);
  return () => {
    entry.uses.delete(callback);
    if (entry.uses.size === 0)
      watched.delete(path);
  };
}

async function poll(path, entry) {
  if (entry.busy)
    return;
  entry.busy = true;
  try {
    const answer = await exchange('GET', path, { etag: entry.etag });
    heard();
    if (answer.status === 304)
      return;
    entry.etag = answer.etag;
    entry.value = JSON.parse(answer.text);
    if (entry.value.at)
      setNodeTime(entry.value.at);
    for (const callback of entry.uses)
      callback(entry.value, null);
  } catch (error) {
    if (error instanceof Problem && error.status > 0)
      for (const callback of entry.uses)
        callback(entry.value, error);
    not_before = Math.max(not_before, performance.now() + (error.retry_after_ms ?? 0));
  } finally {
    entry.busy = false;
  }
}

let timer = 0, due = Infinity, last_poll = -Infinity, not_before = -Infinity;

/** Sees to it that everything watched is polled `in_ms` from now, but not sooner than the interval allows. */
function pollWithin(in_ms) {
  const now = performance.now();
  const at = Math.max(now + in_ms, last_poll + poll_interval_ms, not_before);
  if (at >= due)
    return;
  due = at;
  clearTimeout(timer);
  timer = setTimeout(pollAll, at - now);
}

function pollAll() {
  due = Infinity;
  if (document.hidden || connection.status !== 'live')
    return; // whoever changes that polls again
  last_poll = performance.now();
  for (const [path, entry] of watched)
    poll(path, entry);
  pollWithin(idle_interval_ms);
}

/** After an action of the user: its effect is to be seen at once. */
export function pollSoon() {
  last_poll = -Infinity;
  due = Infinity;
  pollWithin(settle_ms);
}

let stale_timer = 0;

function heard() {
  connection.heard_at = Date.now();
}

function become(status, problem = null, pause_ms = 0) {
  connection.problem = problem;
  connection.retry_at = Date.now() + pause_ms;
  connection.status = status;
  tell('status', connection);
}

function turnStale() {
  if (connection.status === 'reconnecting')
    become('stale', connection.problem, connection.retry_at - Date.now());
}

const stream = new Stream('/v1/events?type=task,agent', {
  onOpen() {
    clearTimeout(stale_timer);
    heard();
    become('live');
    reload();
  },
  onLost(problem, pause_ms) {
    if (problem.status === 401) {
      become('locked', problem);
      return;
    }
    const first = connection.status === 'live';
    if (first)
      stale_timer = setTimeout(turnStale, stale_after_ms);
    become(first ? 'reconnecting' : 'stale', problem, pause_ms);
  },
  onEvent(event) {
    heard();
    if (event.type === 'gap')
      reload();
    else if (event.type === 'task' || event.type === 'agent')
      tell(event.type, event.data);
    if (event.type !== 'hello')
      pollWithin(settle_ms);
  },
});

/** Everything that is shown may be old: after a reconnect, a gap, a restart. */
function reload() {
  for (const entry of watched.values())
    entry.etag = null;
  pollSoon();
  tell('reload');
}

export function start() {
  stream.start();
  let hidden_timer = 0;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hidden_timer);
    if (document.hidden) {
      hidden_timer = setTimeout(letGo, hidden_limit_ms);
    } else {
      stream.start();
      pollWithin(0);
    }
  });
  addEventListener('online', tryNow);
}

function letGo() {
  stream.stop();
  become('reconnecting');
}

export function tryNow() {
  stream.retry();
}

/** The node wants a token, or another one. */
export function lock(problem) {
  if (connection.status !== 'locked')
    become('locked', problem);
}

/** There is a new token. */
export function unlock() {
  stream.stop();
  become('connecting');
  stream.start();
}
