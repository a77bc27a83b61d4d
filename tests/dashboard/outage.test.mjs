// The node goes away, comes back, wants a token: the page says how it stands, and recovers by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchBrowser, openPage, see } from './browser_fixture.mjs';
import { TestNode } from './node_fixture.mjs';

const gone = [/ERR_CONNECTION_REFUSED/, /ERR_INCOMPLETE_CHUNKED_ENCODING/, /ERR_CONNECTION_RESET/, /ERR_EMPTY_RESPONSE/, /ERR_CONNECTION_CLOSED/];

async function story(node_options, tell) {
  const node = await TestNode.start(node_options);
  const browser = await launchBrowser();
  try {
    await tell(node, browser);
  } finally {
    await browser.close();
    await node.close();
  }
}

test('a node that restarts: the page turns stale, says since when, and recovers', () => story({}, async (node, browser) => {
  await node.run({ role: 'echo', input: 1 });
  const page = await openPage(browser, node, '#/tasks', { expected: gone });
  await see(page.locator('#connection'), 'live');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await node.stop();
  const banner = page.locator('[data-banner="stale"]');
  await see(banner, /What you see is from \d\d:\d\d:\d\d/);
  await see(page.locator('#connection'), /STALE since \d\d:\d\d:\d\d/);
  assert.equal(await page.locator('tbody tr').count(), 1, 'what was there is still shown');
  await node.restart();
  await see(page.locator('#connection'), 'live');
  await banner.waitFor({ state: 'detached' });
  const task = await node.run({ role: 'echo', input: 2 });
  await see(page.locator(`tr[data-key="${task.task_id}"]`), 'completed');
  await page.assertClean();
}));

test('a page that was opened while the node was there finds the figures of the new one', () => story({}, async (node, browser) => {
  const page = await openPage(browser, node, '#/', { expected: gone });
  await see(page.locator('#connection'), 'live');
  await node.stop();
  await page.locator('[data-banner="stale"]').waitFor();
  await node.restart();
  await node.run({ role: 'failing', input: 1 });
  await page.getByRole('button', { name: 'Try now' }).click({ timeout: 2000 }).catch(() => {}); // it may be back already
  await see(page.locator('[data-total="failed"] .n'), /^[1-9]/);
  await see(page.locator('.failures'), 'no such file');
  await page.assertClean();
}));

test('a task that the node does not know any more is not shown as if it did', () => story({}, async (node, browser) => {
  const task = await node.run({ role: 'echo', input: 'before' });
  const page = await openPage(browser, node, `#/tasks/${task.task_id}`, { expected: [...gone, /status of 404/] });
  await see(page.getByRole('region', { name: 'Output' }), 'before');
  await node.stop();
  await page.locator('[data-banner="stale"]').waitFor();
  await see(page.getByRole('region', { name: 'Output' }), 'before');
  await node.restart();
  await see(page.locator('h1'), 'No such task');
  assert.equal(await page.getByRole('region', { name: 'Output' }).count(), 0);
  await page.assertClean();
}));

test('a node with tokens asks for one, takes it, and does not ask again in this tab', () => {
  const token = 'a-token-that-is-long-enough-for-anybody';
  return story({ token }, async (node, browser) => {
    const task = await node.run({ role: 'echo', input: 1 });
    const page = await openPage(browser, node, '#/tasks', { expected: [/status of 401/] });
    const form = page.locator('[data-banner="token"]');
    await see(form, 'wants a token');
    await see(page.locator('#connection'), 'token needed');
    await form.getByLabel(/wants a token/).fill('wrong');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('#token')?.value === '');
    await form.getByLabel(/wants a token/).fill(token);
    await form.getByRole('button', { name: 'Unlock' }).click();
    await see(page.locator('#connection'), 'live');
    await page.locator(`tr[data-key="${task.task_id}"]`).waitFor();
    const next = await node.run({ role: 'echo', input: 2 });
    await see(page.locator(`tr[data-key="${next.task_id}"]`), 'completed');
    await page.reload();
    await see(page.locator('#connection'), 'live');
    assert.equal(await form.count(), 0);
    await page.assertClean();
  });
});
