// A real node with a real agents service, each in its own process, on free ports.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = process.env.ROLECALL_PROGRAM ?? new URL('../../build/release/rolecall', import.meta.url).pathname;
const start_limit_ms = 30_000;
const shell = script => ['sh', '-c', script];

// Every role's agents are commands; each shows one way in which a task can go.
export const test_roles = [
  { role: 'echo', command: ['cat'], skills: { cpp: 0.9 } },
  { role: 'failing', command: shell('echo "no such file: a.cpp" >&2; exit 1') },
  { role: 'flaky', command: shell('echo "try later" >&2; exit 75') },
  { role: 'slow', command: shell('exec sleep 600') },
  { role: 'spare', command: ['cat'] },
  { role: 'script', command: shell('echo "<img src=x onerror=alert(1)>" >&2; exit 1') },
];

/** Starts `rolecall ARGUMENTS`; gives the process and the address that its first line names. */
async function launch(args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '', log = '';
  child.stderr.on('data', data => { log = (log + data).slice(-20_000); });
  const url = await new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`rolecall ${args[0]} does not listen:\n${log}`)), start_limit_ms);
    child.on('error', reject);
    child.on('exit', code => reject(new Error(`rolecall ${args[0]} ended with ${code}:\n${log}`)));
    child.stdout.on('data', data => {
      const found = (out += data).match(/listening on (http:\S+)/);
      if (!found)
        return;
      clearTimeout(limit);
      resolve(found[1]);
    });
  });
  return { child, url };
}

async function end(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null)
    return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** What a test has: url, api(), stop() and restart() of the node (at the same address), close(). */
export class TestNode {
  static async start({ name = 'node', roles = test_roles, config = {}, token = null } = {}) {
    const node = new TestNode();
    node.folder = mkdtempSync(join(tmpdir(), 'rolecall-dashboard-'));
    node.token = token;
    try {
      writeFileSync(join(node.folder, 'roles.json'), JSON.stringify({ roles }));
      node.service = await launch(['agents', '--roles', join(node.folder, 'roles.json'), '--listen', '127.0.0.1:0', '-q']);
      node.config = {
        node: { name, drain_timeout: '1s' }, execution: { retry_backoff: '10ms', max_retry_backoff: '20ms' }, journal: { path: '' }, ...config,
        api: { listen: '127.0.0.1:0', ...token && { tokens: node.tokenFile(token) } }, services: [{ name: 'local', url: node.service.url }],
      };
      await node.restart();
    } catch (error) {
      await node.close();
      throw error;
    }
    return node;
  }

  /** A node knows only the hashes of tokens. */
  tokenFile(token) {
    const file = join(this.folder, 'tokens.json');
    const sha256 = createHash('sha256').update(token).digest('hex');
    writeFileSync(file, JSON.stringify({ tokens: [{ name: 'tests', right: 'admin', sha256 }] }), { mode: 0o600 });
    return file;
  }

  async restart() {
    const file = join(this.folder, 'config.json');
    writeFileSync(file, JSON.stringify(this.config));
    this.process = await launch(['node', '--config', file]);
    this.url = this.process.url;
    this.config.api.listen = new URL(this.url).host;
  }

  stop() {
    return end(this.process.child);
  }

  async close() {
    await Promise.all([this.process, this.service].map(one => one && end(one.child)));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async api(method, path, body) {
    const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
    if (body !== undefined)
      headers['Content-Type'] = 'application/json';
    const response = await fetch(this.url + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  submit(task) {
    return this.api('POST', '/v1/tasks', task);
  }

  /** Submits, and gives the task as it ended. */
  async run(task) {
    const { task_id } = await this.submit(task);
    return this.api('GET', `/v1/tasks/${task_id}?wait=30s`);
  }
}
