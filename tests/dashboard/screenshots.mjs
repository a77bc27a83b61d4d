// Makes docs/images/dashboard-{desktop,phone,dark}.png from a real node under a lively load:
//   node tests/dashboard/screenshots.mjs [SECONDS OF LOAD]    (900 fill the plots)
import { mkdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { launchBrowser, openPage, see } from './browser_fixture.mjs';
import { TestNode } from './node_fixture.mjs';

const load_ms = 1000 * Number(process.argv[2] ?? 60);
const folder = new URL('../../docs/images/', import.meta.url).pathname;
const dice = 'n=$(od -An -N1 -tu1 /dev/urandom | tr -d " ");'; // 0 to 255
const shell = script => ['sh', '-c', `${dice} ${script}`];

const roles = [
  {
    role: 'reviewer', max_concurrency: 2, skills: { cpp: 0.9, python: 0.4 },
    command: shell('sleep 0.$n; [ $n -lt 4 ] && { echo "the file is no UTF-8" >&2; exit 1; }; wc -c'),
  },
  { role: 'summarizer', command: shell('sleep 1.$n; cat') },
  {
    role: 'translator',
    command: shell('sleep 0.1; [ $n -lt 18 ] && { echo "the glossary has no entry for this term" >&2; exit 1; };'
      + ' [ $n -lt 50 ] && { echo "rate limit of the model" >&2; exit 75; }; cat'),
  },
  { role: 'illustrator', command: shell('sleep 3; cat'), max_agents: 2 },
];
const config = { roles: { reviewer: { min_agents: 2, max_agents: 6 }, summarizer: { max_agents: 5 }, translator: { max_agents: 4 }, illustrator: { max_agents: 3 } } };
const mix = ['reviewer', 'reviewer', 'reviewer', 'reviewer', 'summarizer', 'translator', 'translator', 'translator'];

/** The wait between two tasks: a wave of minutes, one of half a minute on it, and chance. */
function gap_ms(passed_ms) {
  const wave = (period_s, depth) => 1 + depth * Math.sin(passed_ms / 1000 / period_s * 2 * Math.PI);
  return 130 * wave(400, 0.55) * wave(47, 0.25) * (0.6 + 0.8 * Math.random());
}

function pick_role(i) {
  if (i % 211 === 0)
    return 'typesetter'; // nobody has it: rejected
  return i % 40 === 0 ? 'illustrator' : mix[Math.floor(Math.random() * mix.length)];
}

async function applyLoad(node) {
  for (let i = 1, start = Date.now(); Date.now() - start < load_ms; i++) {
    const role = pick_role(i);
    const task = await node.submit({
      role, input: { file: `src/part_${i}.cpp`, question: 'What would you change first, and why?' },
      labels: { team: i % 3 ? 'search' : 'ads', run: `nightly-${i % 5}` }, priority: i % 9 === 0 ? 5 : 0,
    });
    if (i % 53 === 0)
      await node.api('POST', `/v1/tasks/${task.task_id}/cancel`).catch(() => {}); // it may have ended
    await pause(gap_ms(Date.now() - start));
  }
}

async function picture(browser, node, name, hash, options) {
  const page = await openPage(browser, node, hash, options);
  await see(page.locator('#connection'), 'live');
  await page.waitForFunction(() => document.querySelector('main').innerText.length > 300);
  await page.screenshot({ path: `${folder}dashboard-${name}.png`, fullPage: name !== 'phone' && name !== 'dark' });
  await page.context().close();
}

const node = await TestNode.start({ roles, config });
const browser = await launchBrowser();
try {
  mkdirSync(folder, { recursive: true });
  const load = applyLoad(node);
  await pause(load_ms * 0.97 - 5_000);
  await picture(browser, node, 'desktop', '#/', {});
  await picture(browser, node, 'phone', '#/', { viewport: { width: 390, height: 844 }, isMobile: true });
  const { tasks } = await node.api('GET', '/v1/tasks?role=translator&state=completed,failed&limit=200');
  const retried = tasks.find(task => task.attempts > 1) ?? tasks[0];
  await picture(browser, node, 'dark', `#/tasks/${retried.task_id}`, { colorScheme: 'dark' });
  await load;
} finally {
  await browser.close();
  await node.close();
}
