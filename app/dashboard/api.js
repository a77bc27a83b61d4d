// Requests to the node. Everything that is not an answer becomes a Problem that can be shown as it is.

const request_timeout_ms = 20_000;
const token_key = 'rolecall.token';

let token = readToken();
let onLocked = () => {};

function readToken() {
  try { return sessionStorage.getItem(token_key) ?? ''; } catch { return ''; }
}

export function setToken(value) {
  token = value;
  try { sessionStorage.setItem(token_key, value); } catch { /* kept for this page only */ }
}

export function hasToken() {
  return token !== '';
}

/** Called with a Problem whenever the node answers 401. */
export function whenLocked(callback) {
  onLocked = callback;
}

export function authorization() {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** RFC 9457, as the node sends it. `status` 0 and code `unreachable`: there was no answer. */
export class Problem extends Error {
  constructor(status, body, retry_after_ms = 0) {
    super(body.detail || body.title || `the node answered ${status}`);
    this.status = status;
    this.code = body.code ?? '';
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    this.retry_after_ms = retry_after_ms;
  }

  static unreachable(error) {
    const detail = error.name === 'TimeoutError' ? 'the node did not answer in time'
      : 'the node cannot be reached';
    return new Problem(0, { code: 'unreachable', detail });
  }

  static async of(response) {
    let body = {};
    try { body = await response.json(); } catch { /* not the node's own words: the status has to do */ }
    const retry_after_ms = 1000 * (Number(response.headers.get('Retry-After')) || 0);
    const problem = new Problem(response.status, body, retry_after_ms);
    if (response.status === 401)
      onLocked(problem);
    return problem;
  }
}

/**
 * One exchange. `body` is sent as JSON, `json` as JSON text that is there already. Gives {status, text, etag},
 * where 304 to an `etag` has no text; throws a Problem for everything from 400 on.
 */
export async function exchange(method, path, { body, json, etag, timeout_ms = request_timeout_ms } = {}) {
  const headers = { Accept: 'application/json', ...authorization() };
  const text = json ?? (body === undefined ? undefined : JSON.stringify(body));
  if (text !== undefined)
    headers['Content-Type'] = 'application/json';
  if (etag)
    headers['If-None-Match'] = etag;
  try {
    const response = await fetch(path, {
      method, headers, body: text, cache: 'no-store', signal: AbortSignal.timeout(timeout_ms),
    });
    if (response.status >= 400)
      throw await Problem.of(response);
    return { status: response.status, text: await response.text(), etag: response.headers.get('ETag') };
  } catch (error) {
    throw error instanceof Problem ? error : Problem.unreachable(error);
  }
}

export async function get(path, options) {
  return JSON.parse((await exchange('GET', path, options)).text);
}

export async function send(method, path, options) {
  return JSON.parse((await exchange(method, path, options)).text);
}

/** {role: 'a', state: '', label: ['x', 'y']} as "?role=a&label=x&label=y", or "" if nothing is left. */
export function query(parameters) {
  const result = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    for (const one of [value].flat())
      if (one !== '' && one !== null && one !== undefined)
        result.append(name, one);
  const text = result.toString();
  return text && `?${text}`;
}
