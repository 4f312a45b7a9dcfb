/**
 * All routes on several instances, each with its own model: `DENO_JOBS` instances, by default one a core.
 * They listen on one port, and the system distributes the connections (Linux).
 *
 * @module
 */

import { signal } from "../../src/http/request/run_server.ts";

const count = Number(Deno.env.get("DENO_JOBS") || navigator.hardwareConcurrency);
if (!Number.isSafeInteger(count) || count < 1) {
  throw new Error(
    `Cannot use DENO_JOBS: it is ${Deno.env.get("DENO_JOBS")}, not a positive integer`,
  );
}

/** Starts an instance. Resolves when it has ended: whether it finished its requests in time. */
function start(): { worker: Worker; ended: Promise<boolean> } {
  const worker = new Worker(new URL("./instance.ts", import.meta.url), { type: "module" });
  const ended = new Promise<boolean>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<boolean>) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  });
  return { worker, ended };
}

const instances = Array.from({ length: count }, start);
const ended = Promise.all(instances.map(({ ended }) => ended));
try {
  await Promise.race([signal(), ended]);
  for (const { worker } of instances) worker.postMessage("stop");
  Deno.exit((await ended).every((inTime) => inTime) ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
