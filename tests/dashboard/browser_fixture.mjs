// Chromium, and pages that take note of everything that must not happen.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

// The packages are installed outside of the source tree; an import would look for them only inside.
const modules = process.env.ROLECALL_NODE_MODULES ?? new URL('../../build/dashboard-tests/', import.meta.url).pathname;
const { chromium } = createRequire(modules.endsWith('/') ? modules : `${modules}/`)('playwright-core');

const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
export const patience_ms = 30_000;

export function launchBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags });
}

/**
 * Opens `node` at `hash`. `expected`: patterns of console errors that belong to the test. The page's
 * assertClean() fails if anything else went wrong, or anything was asked of another origin.
 */
export async function openPage(browser, node, hash = '#/', { expected = [], ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(patience_ms);
  const page = await context.newPage();
  const problems = [], foreign = [];
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', event => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type()) && !expected.some(pattern => pattern.test(message.text())))
      problems.push(message.text());
  });
  page.on('pageerror', error => problems.push(String(error.stack)));
  page.on('dialog', dialog => { problems.push(`a script opened a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', request => {
    if (new URL(request.url()).origin !== new URL(node.url).origin)
      foreign.push(request.url());
  });
  page.assertClean = async () => {
    assert.deepEqual(problems, []);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
    assert.deepEqual(foreign, []);
  };
  await page.goto(`${node.url}/${hash}`);
  return page;
}

/** Waits until `locator` shows `text` (a string or a pattern). */
export async function see(locator, text) {
  const pattern = text instanceof RegExp ? text : new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  await locator.filter({ hasText: pattern }).first().waitFor({ timeout: patience_ms });
}
