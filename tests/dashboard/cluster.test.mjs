// Two nodes of a cluster: the page of one shows the other, its agents, and what becomes of the link.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage, see } from './browser_fixture.mjs';
import { TestNode } from './node_fixture.mjs';

let near, far, browser, page;
before(async () => {
  near = await TestNode.start({ name: 'near', config: { cluster: { listen: '127.0.0.1:0' } } });
  const { address } = await near.api('GET', '/v1/nodes');
  far = await TestNode.start({ name: 'far', config: { cluster: { peers: [address] } } });
  browser = await launchBrowser();
  page = await openPage(browser, near, '#/');
});
after(async () => {
  await browser?.close();
  await Promise.all([near?.close(), far?.close()]);
});

test('the overview shows the nodes of a cluster, and their links', async () => {
  const nodes = page.getByRole('region', { name: 'Nodes' });
  const row = name => nodes.locator(`tr[data-key="${name}"]`);
  await see(row('far'), 'up for');
  await see(row('near'), 'this node');
  await see(nodes, '1 of 1 link up');
  await page.assertClean();
});

test('agents of all nodes are listed, those with one name too, and are drained where they are', async () => {
  for (const node of [near, far])
    await node.run({ role: 'echo', input: 1 });
  await far.api('POST', '/v1/agents', { role: 'spare' });
  const agents = await openPage(browser, near, '#/agents?role=spare');
  await see(agents.locator('tbody'), 'far');
  await agents.getByRole('button', { name: /^Drain/ }).click();
  await agents.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
  await see(agents.locator('#toasts'), 'is draining');
  await agents.assertClean();
  const { agents: left } = await far.api('GET', '/v1/agents?role=spare&state=ready');
  assert.deepEqual(left, []);
});

test('a node that is gone is shown as such', async () => {
  await far.stop();
  const nodes = page.getByRole('region', { name: 'Nodes' });
  await see(nodes, /0 of \d links? up/);
});
