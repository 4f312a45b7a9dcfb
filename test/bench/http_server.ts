// What it costs to own the connections: the service's server side by side with Deno.serve, each with a handler
// that only reads the body: deno task bench:http

import { HttpServer } from "../../src/http/request/listen.ts";
import { median } from "./support/measure.ts";

const CONNECTIONS = 16;
const ROUNDS = 7;
const REQUESTS = 4000;
/** Of a body: nothing, a small photo and a large one. */
const SIZES = [0, 30_000, 3_000_000];

const handler = async (request: Request) =>
  new Response(String((await request.arrayBuffer()).byteLength));
const address = { hostname: "127.0.0.1", port: 0 };
const listener = Deno.listen(address);
new HttpServer(handler, listener);
const deno = Deno.serve({ ...address, onListen: () => {} }, handler);

/** Requests a second. */
async function rate(port: number, body: Uint8Array<ArrayBuffer>): Promise<number> {
  let left = Math.min(REQUESTS, Math.ceil(1e9 / (body.length + 1e5)));
  const count = left;
  const begin = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    while (left-- > 0) {
      await (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body })).text();
    }
  }));
  return 1000 * count / (performance.now() - begin);
}

console.log(
  `Requests/s on ${CONNECTIONS} connections, client and server in one thread; medians of ${ROUNDS} ` +
    "rounds in turn.\n\n| body, bytes | the service's | Deno.serve | ratio |\n| ---: | ---: | ---: | ---: |",
);
for (const size of SIZES) {
  const body = new Uint8Array(size);
  const rates: { own: number[]; deno: number[] } = { own: [], deno: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    const pair = [await rate(listener.addr.port, body), await rate(deno.addr.port, body)] as const;
    if (round === 0) continue; // warm
    rates.own.push(pair[0]);
    rates.deno.push(pair[1]);
  }
  const [a, b] = [median(rates.own), median(rates.deno)];
  console.log(`| ${size} | ${a.toFixed(0)} | ${b.toFixed(0)} | ${(a / b).toFixed(2)} |`);
}
Deno.exit();
