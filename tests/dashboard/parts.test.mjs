// The parts that have no page to show: the parser of events, the page of tasks, the words for figures. They run
// in the browser, from where the node serves them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage } from './browser_fixture.mjs';
import { TestNode } from './node_fixture.mjs';

let node, browser, page;
before(async () => {
  node = await TestNode.start();
  browser = await launchBrowser();
  page = await openPage(browser, node);
});
after(async () => {
  await browser?.close();
  await node?.close();
});

test('events are the same wherever the bytes are cut, with any line end, without the comments', async () => {
  const found = await page.evaluate(async () => {
    const { EventParser } = await import('/assets/stream.js');
    const text = ': hi\n\nid: 7\nevent: task\ndata: {"a":1}\n\nevent: hello\r\ndata:x\r\ndata: y\r\n\r\nid: 8\n\ndata: z\n\n';
    const results = new Set();
    for (let cut = 0; cut <= text.length; cut++) {
      const parser = new EventParser();
      results.add(JSON.stringify([...parser.feed(text.slice(0, cut)), ...parser.feed(text.slice(cut))]));
    }
    return [...results];
  });
  assert.equal(found.length, 1);
  assert.deepEqual(JSON.parse(found[0]), [
    { id: '7', type: 'task', data: '{"a":1}' }, { id: '', type: 'hello', data: 'x\ny' }, { id: '', type: 'message', data: 'z' },
  ]);
});

test('a page of tasks takes new ones, drops what the filter drops, and is never fooled by old news', async () => {
  const result = await page.evaluate(async () => {
    const { TaskPage } = await import('/assets/task_page.js');
    const task = (n, state, attempts = 1) => ({ task_id: `t${n}`, role: 'r', state, attempts, labels: {}, submitted_at: `2026-01-01T00:00:0${n}.000Z` });
    const ids = list => list.map(one => `${one.task_id} ${one.state}`);
    const all = new TaskPage({ role: '', state: [], label: [] }, 3, true);
    all.replace([task(2, 'working'), task(1, 'completed')]);
    all.apply(task(1, 'working')); // older than what is known
    for (const n of [3, 4, 5])
      all.apply(task(n, 'submitted', 0));
    const shown = ids(all.shown());
    all.hold(true);
    all.apply(task(6, 'submitted', 0));
    all.apply(task(6, 'working'));
    const held = [all.held(), ...ids(all.shown())];
    all.hold(false);
    const released = ids(all.shown());
    const working = new TaskPage({ role: '', state: ['working'], label: [] }, 3, true);
    working.replace([task(1, 'working')]);
    working.apply(task(1, 'completed'));
    working.loading();
    working.apply(task(2, 'completed')); // comes before the snapshot that has it as working
    working.replace([task(2, 'working')]);
    return { shown, held, released, working: ids(working.shown()) };
  });
  assert.deepEqual(result, {
    shown: ['t5 submitted', 't4 submitted', 't3 submitted'],
    held: [1, 't5 submitted', 't4 submitted', 't3 submitted'],
    released: ['t6 working', 't5 submitted', 't4 submitted'],
    working: [],
  });
});

test('the filter for labels is that of the node', async () => {
  const passed = await page.evaluate(async () => {
    const { passes } = await import('/assets/task_page.js');
    const task = { role: 'r', state: 'working', labels: { team: 'a:b', night: '' } };
    return ['team', 'team:a:b', 'team:a', 'night', 'night:', 'toString', 'other'].map(label => passes({ role: 'r', state: [], label: [label] }, task));
  });
  assert.deepEqual(passed, [true, true, false, true, true, false, false]);
});

test('figures are short, and never better than they are', async () => {
  const words = await page.evaluate(async () => {
    const { percent, duration, rate, seconds } = await import('/assets/format.js');
    const { niceTicks } = await import('/assets/plot.js');
    const { latencyTickText } = await import('/assets/plots.js');
    return {
      percent: [null, 0, 0.5, 0.9999, 1].map(percent), duration: [null, 0, 0.25, 7, 999, 1500, 61_000, 3_600_000, 90_000_000].map(duration),
      rate: [0, 0.123, 12.34, 1234.5].map(rate), seconds: [900, 59_999, 125_000].map(seconds), ticks: [0, 1, 7, 83, 0.03].map(niceTicks),
      latency: [0.5, 300, 1000, 2500, 100_000, 300_000].map(latencyTickText),
    };
  });
  assert.deepEqual(words, {
    percent: ['–', '0 %', '50 %', '99.9 %', '100 %'],
    duration: ['–', '0 ms', '0.25 ms', '7 ms', '999 ms', '1.50 s', '1 min 1 s', '1 h', '1 d 1 h'],
    rate: ['0', '0.12', '12.3', '1,235'], seconds: ['0 s', '59 s', '2 min 5 s'],
    ticks: [[0, 1], [0, 0.5, 1], [0, 2, 4, 6, 8], [0, 50, 100], [0, 0.01, 0.02, 0.03]],
    latency: ['0.5 ms', '300 ms', '1 s', '2.5 s', '100 s', '300 s'],
  });
});
