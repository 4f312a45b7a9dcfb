// Where threads cannot share memory, one computes; and a thread that cannot be asked is one error, not two.

import { assertEquals, assertRejects } from "@std/assert";
import { loadModel } from "../../src/model/load_model.ts";
import { type SimdOptions, simdRuntime } from "../../src/runtime/simd/runtime.ts";
import { goldenCase, goldenModel } from "../golden/model.ts";
import { CLOUDFLARE, NOT_ISOLATED, withGlobals } from "../host/with_globals.ts";

const file = await goldenModel("tiny", "f32");
const { pixel_values } = goldenCase("tiny").inputs;

async function outputs(options: SimdOptions) {
  await using model = await loadModel(file, { runtime: simdRuntime(options) });
  return { concurrency: model.concurrency, outputs: await model.forward({ pixel_values }) };
}

for (
  const [host, globals] of [
    ["a page that is not isolated", NOT_ISOLATED],
    ["a host without threads", CLOUDFLARE],
  ] as const
) {
  Deno.test(`the SIMD runtime computes in one thread in ${host}, whatever is asked for`, async () => {
    const two = await withGlobals(globals, () => outputs({ threads: 2 }));
    assertEquals(two, await outputs({ threads: 1 }));
    assertEquals(two.concurrency, 1);
  });
}

/** What a browser throws for shared memory. */
function refusal(): DOMException {
  return new DOMException("#<Memory> could not be cloned.", "DataCloneError");
}

/** A worker that cannot be sent anything from the k-th message on. */
function deafFrom(k: number): () => Worker {
  return () => {
    const url = new URL("../../src/runtime/simd/worker.ts", import.meta.url);
    const worker = new Worker(url, { type: "module" });
    const postMessage = worker.postMessage.bind(worker) as (message: unknown) => void;
    let sent = 0;
    worker.postMessage = (message: unknown) => {
      if (++sent >= k) throw refusal();
      postMessage(message);
    };
    return worker;
  };
}

for (const [when, k] of [["at its start", 1], ["later", 2]] as const) {
  // `deno test` fails for a rejection that nobody handles, even after the test.
  Deno.test(`a thread that cannot be asked ${when} rejects the run, and nothing else`, async () => {
    const runtime = simdRuntime({ threads: 2, createWorker: deafFrom(k) });
    const run = async () => {
      await using model = await loadModel(file, { runtime });
      await model.forward({ pixel_values });
    };
    await assertRejects(run, DOMException, "could not be cloned");
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
}
