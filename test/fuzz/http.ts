// Sends requests of all kinds to a server: deno task fuzz:http [--requests 10000] [--seed 1] [--only N]

import { parseArgs } from "@std/cli/parse-args";
import { HealthWatch, ServerProcess } from "../server/server_process.ts";
import { RandomRequests } from "./random_request.ts";
import { exchange } from "./raw_request.ts";

const CONNECTIONS = 16;
/** That the requests of all connections together may take, in megabytes. */
const MAX_MEGABYTES = 600;
/** That health may wait: 500 ms, and an inference. */
const MAX_WAIT = 600;

const args = parseArgs(Deno.args, { string: ["requests", "seed", "only"] });
const count = Number(args.requests ?? 10_000);
const seed = Number(args.seed ?? 1);
const only = args.only === undefined ? undefined : Number(args.only);
if (![count, seed, only ?? 0].every(Number.isSafeInteger) || args._.length > 0) {
  console.error("fuzz:http: --requests, --seed and --only are integers");
  Deno.exit(2);
}

const requests = new RandomRequests(seed);
const statuses = new Map<number, number>();
let failures = 0;

/** What is wrong with an answer, if anything is. A request that is cut off may have none. */
function isAllowed(status: number): boolean {
  return status === 0 || status >= 200 && status < 500 || status === 503 || status === 504;
}

await using server = await ServerProcess.start({ serve: ["--timeout", "10"] });

async function ask(index: number): Promise<void> {
  const { status, text } = await exchange(server.port, requests.bytes(index), { isLast: true });
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  if (isAllowed(status)) return;
  failures++;
  console.error(`FAILED: --seed ${seed} --only ${index}: ${text.slice(0, 500)}`);
}

const before = server.memory("now");
const health = new HealthWatch(server);
const begin = performance.now();
let next = only ?? 0;
const end = only === undefined ? count : only + 1;
await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
  while (next < end) {
    const index = next++;
    if (index > 0 && index % 1000 === 0) {
      console.error(`${index} requests, ${server.memory("now").toFixed(0)} MB`);
    }
    await ask(index);
  }
}));
const seconds = (performance.now() - begin) / 1000;
const wait = await health.end();
const most = server.memory("most");
const text = [...statuses].toSorted(([a], [b]) => a - b).map(([status, n]) => `${n} × ${status}`);
console.log(
  `seed ${seed}: ${end - (only ?? 0)} requests in ${seconds.toFixed(1)} s: ${text.join(", ")}; ` +
    `${before.toFixed(0)} MB before, ${most.toFixed(0)} MB at most; health within ${
      wait.toFixed(0)
    } ms`,
);
if (wait > MAX_WAIT) console.error(`FAILED: health waited for ${wait.toFixed(0)} ms`);
if (most - before > MAX_MEGABYTES) console.error(`FAILED: ${(most - before).toFixed(0)} MB more`);
const { status } = await server.post("/classify", await Deno.readFile("test/images/ship.jpg"));
if (status !== 200) console.error(`FAILED: an image is answered ${status}`);
const isWell = failures === 0 && wait <= MAX_WAIT && most - before <= MAX_MEGABYTES &&
  status === 200;
await server[Symbol.asyncDispose]();
Deno.exit(isWell ? 0 : 1);
