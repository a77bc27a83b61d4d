// node undici.mjs URL BODY IN_FLIGHT SECONDS: requests straight at the service.
import { Pool } from "undici";

const [url, body, inFlight, seconds] = process.argv.slice(2);
const { origin, pathname } = new URL(url);
const service = new Pool(origin, { connections: Number(inFlight), pipelining: 1 });
const begin = performance.now();
const end = begin + Number(seconds) * 1e3;
let count = 0;
let errors = 0;
await Promise.all(Array.from({ length: Number(inFlight) }, async () => {
  while (performance.now() < end) {
    const answer = await service.request({
      path: pathname, method: "POST", headers: { "content-type": "application/json" }, body });
    await answer.body.text();
    ++count;
    if (answer.statusCode !== 200) ++errors;
  }
}));
console.log(JSON.stringify({ per_second: count / (performance.now() - begin) * 1e3, errors }));
process.exit(0);
