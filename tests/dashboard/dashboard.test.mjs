// What a user does with the dashboard, and what they see. All tests of this file share one node.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage, see } from './browser_fixture.mjs';
import { TestNode } from './node_fixture.mjs';

let node, browser;
before(async () => {
  node = await TestNode.start();
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await node?.close();
});

async function withPage(hash, options, story) {
  const page = await openPage(browser, node, hash, options);
  try {
    await story(page);
    await page.assertClean();
  } finally {
    await page.context().close();
  }
}

const confirmWith = (page, name) => page.getByRole('dialog').getByRole('button', { name }).click();

test('every view loads without an error, a violation, or a request to somebody else', async () => {
  const done = await node.run({ role: 'echo', input: 1 });
  for (const hash of ['#/', '#/tasks', `#/tasks/${done.task_id}`, '#/agents', '#/submit'])
    await withPage(hash, {}, async page => {
      await see(page.locator('#connection'), 'live');
      await page.locator('main h1').first().waitFor({ state: 'attached' });
      await see(page.locator('#node-facts'), /version .+ · ready · up/);
    });
});

test('the page is protected by its content security policy', async () => {
  const response = await fetch(node.url);
  const policy = response.headers.get('Content-Security-Policy') ?? '';
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"])
    assert.ok(policy.includes(part), `${part} is in "${policy}"`);
  assert.match(response.headers.get('Content-Type'), /^text\/html/);
});

test('a task that is submitted by the form completes before one\'s eyes', async () => {
  await withPage('#/submit', {}, async page => {
    await page.getByLabel('Role').selectOption('echo');
    await page.getByLabel('Input (JSON)').fill('{"big": 12345678901234567890, "text": "hello"}');
    await page.getByLabel('Skills').fill('cpp');
    await page.getByLabel('Priority').fill('7');
    await page.getByLabel('Labels').fill('team: search\nnight');
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await see(page.locator('#task-state'), 'completed');
    assert.match(page.url(), /#\/tasks\/.+/);
    await see(page.locator('.facts'), 'team: search');
    await see(page.getByRole('region', { name: 'Input' }), '12345678901234567890');
    await see(page.getByRole('region', { name: 'Output' }), 'hello');
  });
});

test('what is wrong with a task is said at its field', async () => {
  await withPage('#/submit', { expected: [/status of 400/] }, async page => {
    await page.getByLabel('Role').selectOption('echo');
    const input = page.getByLabel('Input (JSON)');
    await input.fill('hello');
    await see(page.locator('#problem-input'), 'This is not JSON');
    assert.equal(await input.getAttribute('aria-invalid'), 'true');
    await page.getByRole('button', { name: 'Use it as text' }).click();
    assert.equal(await input.inputValue(), '"hello"');
    await page.getByLabel('Timeout').fill('soon');
    await page.getByLabel('Priority').fill('12');
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await see(page.locator('[data-part="problems"]'), 'Timeout');
    await page.locator('#problem-timeout:not(:empty)').waitFor();
    await page.locator('#problem-priority:not(:empty)').waitFor();
    assert.equal(await page.getByLabel('Timeout').getAttribute('aria-invalid'), 'true');
    assert.equal(await page.getByLabel('Skills').getAttribute('aria-invalid'), null);
  });
});

test('a failed task shows its reason, in the list and by itself', async () => {
  const failed = await node.run({ role: 'failing', input: {} });
  await withPage('#/tasks?state=failed', {}, async page => {
    const row = page.locator(`tr[data-key="${failed.task_id}"]`);
    await see(row, 'no such file: a.cpp');
    await row.getByRole('link').click();
    await see(page.locator('[data-part="error"]'), 'no such file: a.cpp');
    await see(page.locator('[data-part="error"]'), failed.error.code);
  });
});

test('filters narrow the list, by role, state and label, and can be shared', async () => {
  const ours = await node.run({ role: 'echo', input: 1, labels: { story: 'filters' } });
  const other = await node.run({ role: 'failing', input: 1, labels: { story: 'filters' } });
  await withPage('#/tasks', {}, async page => {
    const rows = page.locator('tbody tr'), row = task => page.locator(`tr[data-key="${task.task_id}"]`);
    await page.getByLabel('Label', { exact: true }).fill('story:filters');
    await page.keyboard.press('Enter');
    await row(ours).waitFor();
    await row(other).waitFor();
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
    await page.getByRole('checkbox', { name: 'failed' }).check();
    await row(ours).waitFor({ state: 'detached' });
    assert.equal(await rows.count(), 1);
    assert.match(page.url(), /state=failed&label=story%3Afilters/);
    await page.reload();
    await row(other).waitFor();
    await page.getByRole('checkbox', { name: 'failed' }).uncheck();
    await page.getByLabel('Role').selectOption('echo');
    await row(other).waitFor({ state: 'detached' });
    await row(ours).waitFor();
    await page.getByRole('link', { name: 'Clear' }).click();
    await row(other).waitFor();
  });
});

test('the list is live, and a page of it never grows', async () => {
  await withPage('#/tasks?label=story:live', {}, async page => {
    await page.locator('[data-empty="tasks"]').waitFor();
    await node.api('POST', '/v1/tasks', Array.from({ length: 120 }, (_, i) => ({ role: 'echo', input: i, labels: { story: 'live' } })));
    await see(page.locator('#tasks-summary'), '50 tasks');
    assert.equal(await page.locator('tbody tr').count(), 50);
    await page.waitForFunction(() => document.querySelectorAll('tbody tr.row-completed').length === 50);
    await page.reload();
    await page.getByRole('link', { name: 'Older' }).click();
    await page.getByRole('link', { name: 'Newest' }).waitFor();
    await page.getByRole('link', { name: 'Older' }).click();
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 20);
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 50);
  });
});

test('a task shows its attempts along time and why it went where it went', async () => {
  const task = await node.run({ role: 'flaky', input: 1, max_attempts: 2 });
  assert.equal(task.state, 'failed');
  await withPage(`#/tasks/${task.task_id}`, {}, async page => {
    const attempts = page.locator('.attempt');
    await see(attempts, 'Attempt 2');
    assert.equal(await attempts.count(), 2);
    await see(attempts.first(), 'try later');
    await see(attempts.first(), task.history[0].agent_id);
    const why = page.locator('[data-part="why"]');
    await see(why, /\w+/);
    await see(why.getByRole('row'), task.history[1].agent_id);
  });
});

test('a task leads to those that it depends on, and to its retry', async () => {
  const needed = await node.submit({ role: 'slow', input: 1 });
  const blocked = await node.submit({ role: 'slow', input: 2, depends_on: [needed.task_id], deadline: '1h' });
  await withPage(`#/tasks/${blocked.task_id}`, {}, async page => {
    await see(page.locator('[data-part="why"]'), 'blocked');
    const facts = page.locator('.facts');
    await see(facts, 'Deadline');
    await facts.getByRole('link', { name: needed.task_id }).click();
    await see(page.locator('h1'), needed.task_id);
    await node.api('POST', `/v1/tasks/${needed.task_id}/cancel`);
    const again = await node.api('POST', `/v1/tasks/${needed.task_id}/retry`);
    await page.reload();
    await facts.getByRole('link', { name: again.task_id }).click();
    await see(facts, 'Retry of');
    await node.api('POST', '/v1/tasks/cancel', { all: true });
  });
});

test('a running task is canceled, after a question', async () => {
  const task = await node.submit({ role: 'slow', input: 1 });
  await withPage(`#/tasks/${task.task_id}`, {}, async page => {
    await see(page.locator('#task-state'), 'working');
    const cancel = page.getByRole('button', { name: 'Cancel task' });
    await cancel.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Back' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal((await node.api('GET', `/v1/tasks/${task.task_id}`)).state, 'working');
    await cancel.click();
    await confirmWith(page, 'Cancel task');
    await see(page.locator('#task-state'), 'canceled');
  });
  assert.equal((await node.api('GET', `/v1/tasks/${task.task_id}`)).state, 'canceled');
});

test('a failed task is run again as a new one that knows the old', async () => {
  const failed = await node.run({ role: 'failing', input: { again: true } });
  await withPage(`#/tasks/${failed.task_id}`, {}, async page => {
    await page.getByRole('button', { name: 'Retry' }).click();
    await confirmWith(page, 'Retry');
    await page.waitForFunction(id => location.hash.startsWith('#/tasks/') && !location.hash.endsWith(id), failed.task_id);
    await see(page.locator('.facts'), failed.task_id);
    await see(page.locator('#task-state'), 'failed');
  });
});

test('an agent is spawned and drained', async () => {
  await withPage('#/agents?role=spare', {}, async page => {
    await page.getByRole('button', { name: 'Spawn spare' }).click();
    await see(page.locator('#toasts'), 'Spawned spare-');
    const id = (await page.locator('#toasts').textContent()).match(/Spawned (\S+)\./)[1];
    const row = page.locator('tbody tr').filter({ hasText: id });
    await see(row, 'ready');
    await row.getByRole('button', { name: 'Drain' }).click();
    await confirmWith(page, 'Drain');
    await see(page.locator('#toasts'), `${id} is draining.`);
    await row.waitFor({ state: 'detached' });
  });
});

test('what tasks and agents say is text, never markup', async () => {
  const evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
  const task = await node.run({ role: 'script', input: { html: evil }, labels: { note: evil }, context_id: evil });
  for (const hash of ['#/', '#/tasks', `#/tasks/${task.task_id}`, '#/agents'])
    await withPage(hash, {}, async page => {
      await see(page.locator('#connection'), 'live');
      if (hash.includes(task.task_id)) {
        await see(page.locator('[data-part="error"]'), '<img src=x onerror=alert(1)>');
        await see(page.locator('.facts'), `note: ${evil}`);
        await see(page.getByRole('region', { name: 'Input' }), 'onerror');
      } else if (hash === '#/tasks') {
        await see(page.locator(`tr[data-key="${task.task_id}"]`), evil);
      }
      assert.equal(await page.locator('main img, main script').count(), 0);
    });
});

test('the figures are those of the node', async () => {
  await node.run({ role: 'echo', input: 1 });
  await withPage('#/', {}, async page => {
    const { tasks } = await node.api('GET', '/v1/stats');
    await see(page.locator('[data-total="completed"] .n'), new RegExp(`^${tasks.completed}$`));
    await node.run({ role: 'echo', input: 2 });
    await see(page.locator('[data-total="completed"] .n'), new RegExp(`^${tasks.completed + 1}$`));
    for (const name of ['throughput', 'latency']) {
      const plot = page.locator(`[data-plot="${name}"]`);
      await plot.getByRole('slider').focus();
      await page.keyboard.press('ArrowLeft');
      await plot.locator('.tooltip').waitFor();
      await plot.getByText('As a table').click();
      await page.waitForFunction(one => document.querySelectorAll(`[data-plot="${one}"] tbody tr`).length === 90, name);
    }
  });
});
