// A hundred thousand tasks flow through: the page goes on answering, and holds no more than a page of them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { launchBrowser, openPage, see } from './browser_fixture.mjs';
import { TestNode } from './node_fixture.mjs';

const tasks = 100_000;
const longest_pause_ms = 2_000; // a page that takes the flood in one go would stand for many seconds

function* floodEvents(first_id) {
  let id = first_id;
  const start = Date.now();
  for (let i = 0; i < tasks; i++)
    for (const state of ['submitted', 'working', 'completed']) {
      const task = {
        task_id: `flood-${i}`, role: 'echo', state, priority: 0, labels: { story: 'flood' }, context_id: '', agent_id: state === 'submitted' ? null : 'echo-1',
        service: 'local', attempts: state === 'submitted' ? 0 : 1, queued_ms: 1, run_ms: 2, submitted_at: new Date(start + i).toISOString(),
        started_at: null, finished_at: null,
      };
      yield `id: ${++id}\nevent: task\ndata: ${JSON.stringify(task)}\n\n`;
    }
}

/** The node, but for the event stream: from release() on that is the flood, as fast as the page takes it. */
async function floodingProxy(node) {
  let release;
  const released = new Promise(resolve => { release = resolve; });
  const server = createServer(async (request, response) => {
    if (!request.url.startsWith('/v1/events')) {
      const answer = await fetch(node.url + request.url);
      response.writeHead(answer.status, { 'Content-Type': answer.headers.get('Content-Type') ?? 'text/plain' });
      response.end(Buffer.from(await answer.arrayBuffer()));
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const closed = once(response, 'close');
    response.write('event: hello\ndata: {"last_event_id":"0","node":"a"}\n\n');
    await released;
    let batch = '';
    for (const event of floodEvents(0)) {
      batch += event;
      if (batch.length < 65_536)
        continue;
      if (!response.write(batch))
        await Promise.race([new Promise(resolve => response.once('drain', resolve)), closed]);
      if (response.destroyed)
        return;
      batch = '';
    }
    response.write(batch);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, release, close: () => { server.closeAllConnections(); server.close(); } };
}

test('a flood of tasks neither freezes nor fills the page', async () => {
  const node = await TestNode.start();
  const proxy = await floodingProxy(node);
  const browser = await launchBrowser();
  try {
    const page = await openPage(browser, proxy, '#/tasks');
    await page.evaluate(() => {
      window.pauses = { last: performance.now(), longest: 0 };
      setInterval(() => {
        const now = performance.now();
        window.pauses.longest = Math.max(window.pauses.longest, now - window.pauses.last);
        window.pauses.last = now;
      }, 10);
    });
    await see(page.locator('#tasks-summary'), '0 tasks');
    proxy.release();
    await page.locator('tbody tr').first().waitFor();
    await page.locator('#theme-toggle').click(); // the page can be used meanwhile
    await see(page.locator('#theme-toggle'), 'light');
    await see(page.locator('tbody tr').first(), `flood-${tasks - 1}`);
    assert.equal(await page.locator('tbody tr').count(), 50);
    const { longest } = await page.evaluate(() => window.pauses);
    assert.ok(longest < longest_pause_ms, `the page stood still for ${Math.round(longest)} ms`);
    await page.assertClean();
  } finally {
    await browser.close();
    proxy.close();
    await node.close();
  }
});
