// Keyboard, small screens, both themes: what everybody must be able to read and reach.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage, see } from './browser_fixture.mjs';
import { contrastProblems } from './contrast.mjs';
import { TestNode } from './node_fixture.mjs';

let node, browser, failed, done;
before(async () => {
  node = await TestNode.start();
  browser = await launchBrowser();
  done = await node.run({ role: 'echo', input: { text: 'x'.repeat(300) }, labels: { a_rather_long_name: 'and-a-long-text-'.repeat(6) } });
  failed = await node.run({ role: 'flaky', input: 1, max_attempts: 2 });
  await node.run({ role: 'failing', input: 1 });
});
after(async () => {
  await browser?.close();
  await node?.close();
});

const views = () => ['#/', '#/tasks', `#/tasks/${failed.task_id}`, `#/tasks/${done.task_id}`, '#/agents', '#/submit'];

async function ready(page) {
  await see(page.locator('#connection'), 'live');
  await page.waitForFunction(() => document.querySelector('main').innerText.length > 200);
}

test('on a phone no page scrolls sideways', async () => {
  for (const width of [360, 390])
    for (const hash of views()) {
      const page = await openPage(browser, node, hash, { viewport: { width, height: 800 }, isMobile: true, hasTouch: true });
      await ready(page);
      const widths = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(widths[0] <= widths[1], `${hash} at ${width}: ${widths}`);
      await page.assertClean();
      await page.context().close();
    }
});

for (const theme of ['light', 'dark'])
  test(`text has the contrast of WCAG AA in the ${theme} theme`, async () => {
    for (const hash of views()) {
      const page = await openPage(browser, node, hash, { colorScheme: theme });
      await ready(page);
      assert.deepEqual(await page.evaluate(contrastProblems), [], hash);
      await page.context().close();
    }
  });

test('the theme follows the system until one is chosen, and is remembered', async () => {
  const page = await openPage(browser, node, '#/', { colorScheme: 'dark' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await see(page.locator('#theme-toggle'), 'auto');
  const dark = await ground();
  await page.locator('#theme-toggle').click();
  await see(page.locator('#theme-toggle'), 'light');
  const light = await ground();
  assert.notEqual(light, dark);
  await page.reload();
  await see(page.locator('#theme-toggle'), 'light');
  assert.equal(await ground(), light);
  await page.locator('#theme-toggle').click();
  assert.equal(await ground(), dark);
  await page.context().close();
});

const focused = page => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);

/** Presses Tab until the focus is on something that says `text`. Fails if that is out of reach. */
async function tabTo(page, text, limit = 80) {
  for (let i = 0; i < limit; i++) {
    await page.keyboard.press('Tab');
    if ((await focused(page)).startsWith(text))
      return;
  }
  assert.fail(`"${text}" is not reached with the Tab key`);
}

test('with the keyboard alone one gets from the start to a failed task, and runs it again', async () => {
  const page = await openPage(browser, node);
  await ready(page);
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.reload();
  await ready(page);
  await tabTo(page, 'Tasks');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, 'none', 'the focus is visible');
  await page.keyboard.press('Enter');
  await page.locator(`tr[data-key="${failed.task_id}"]`).waitFor();
  await tabTo(page, failed.task_id);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Retry' }).waitFor();
  await tabTo(page, 'Retry');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.equal(await focused(page), 'Back', 'the harmless answer has the focus');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await focused(page), 'Retry', 'focus returns to where it was');
  await page.keyboard.press('Enter');
  await tabTo(page, 'Retry', 4);
  await page.keyboard.press('Enter');
  await page.waitForFunction(id => !location.hash.endsWith(id), failed.task_id);
  await see(page.locator('.facts'), failed.task_id);
  await page.assertClean();
  await page.context().close();
});

test('a filter keeps the focus when the list changes', async () => {
  const page = await openPage(browser, node, '#/tasks');
  await ready(page);
  await page.getByRole('checkbox', { name: 'failed' }).focus();
  await page.keyboard.press('Space');
  await page.waitForFunction(() => location.hash.includes('state=failed'));
  await page.waitForFunction(() => document.activeElement?.id === 'filter-failed');
  await page.context().close();
});

test('everything that can be used has a name, and headings begin with one h1', async () => {
  for (const hash of views()) {
    const page = await openPage(browser, node, hash);
    await ready(page);
    const nameless = await page.evaluate(() => [...document.querySelectorAll('a, button, input, select, textarea, [role=slider], [role=region]')]
      .filter(one => !(one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.length || one.getAttribute('aria-labelledby')))
      .map(one => one.outerHTML));
    assert.deepEqual(nameless, [], hash);
    assert.equal(await page.locator('h1').count(), 1, hash);
    const ids = await page.evaluate(() => [...document.querySelectorAll('[id]')].map(one => one.id));
    assert.equal(new Set(ids).size, ids.length, `${hash}: ids are unique`);
    await page.context().close();
  }
});
