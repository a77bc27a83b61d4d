// node bullmq.mjs REDIS_PORT URL BODY IN_FLIGHT TASKS: tasks through a queue, each a POST to the service.
import { Queue, Worker } from "bullmq";
import { Pool } from "undici";

const [port, url, body, inFlight, tasks] = process.argv.slice(2);
const count = Number(tasks);
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };
const { origin, pathname } = new URL(url);
const service = new Pool(origin, { connections: Number(inFlight), pipelining: 1 });
const name = `tasks-${process.pid}`;
const queue = new Queue(name, { connection, defaultJobOptions: { removeOnComplete: true, removeOnFail: true } });
const warmUp = 2_000; // before the clock runs: until then its code is being compiled
let ended = 0;
let errors = 0;
const worker = new Worker(name, async () => {
  const answer = await service.request({
    path: pathname, method: "POST", headers: { "content-type": "application/json" }, body });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(text);
}, { connection, concurrency: Number(inFlight), autorun: false });
await worker.waitUntilReady();
let whenEnded = () => {};
const countOne = () => { ++ended; whenEnded(); };
worker.on("completed", countOne);
worker.on("failed", () => { ++errors; countOne(); });
worker.run();
async function carryOut(many) {
  const goal = ended + many;
  const done = new Promise((resolve) => { whenEnded = () => { if (ended === goal) resolve(); }; });
  for (let sent = 0; sent < many; sent += 1000)
    await queue.addBulk(Array.from({ length: Math.min(1000, many - sent) }, () => ({ name: "t", data: { n: 1 } })));
  await done;
}
await carryOut(warmUp);
const begin = performance.now();
await carryOut(count);
console.log(JSON.stringify({ per_second: count / (performance.now() - begin) * 1e3, errors }));
await worker.close();
await queue.obliterate({ force: true });
process.exit(0);
