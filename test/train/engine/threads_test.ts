import { assert, assertEquals, assertRejects } from "@std/assert";
import { Arena, sharedMemory } from "../../../src/runtime/simd/arena.ts";
import { type Call, instantiateTrain, trainModule } from "../../../src/train/engine/kernels.ts";
import { Threads } from "../../../src/train/engine/threads.ts";
import { CLOUDFLARE, NOT_ISOLATED, withGlobals } from "../../host/with_globals.ts";

const module = trainModule("plain");

/** A memory with four numbers a thread, and calls that add up their squares. */
function squares(threads: number): { memory: WebAssembly.Memory; calls: Call[] } {
  const memory = sharedMemory();
  const arena = new Arena(memory, instantiateTrain(module, memory).freeMemory());
  const calls = Array.from({ length: threads }, (_, i) => {
    const place = arena.put(Float32Array.of(i, 1, 0, 0));
    return ["reduceGradients", place, 0, 1, 4] as const;
  });
  return { memory, calls };
}

/** A worker that runs this code. */
function worker(code: string): Worker {
  return new Worker(`data:application/javascript,${encodeURIComponent(code)}`, { type: "module" });
}

/** A worker that answers its first request, the kernels, and then does this. */
function afterStart(code: string): () => Worker {
  return () =>
    worker(`
      let asked = 0;
      onmessage = () => {
        if (asked++ === 0) postMessage({ results: [] });
        else ${code};
      };
    `);
}

for (
  const [title, count, own] of [["own", 1, true], ["one", 1, false], ["three", 3, true]] as const
) {
  Deno.test(`Threads, ${title}: the results of all calls come in order`, async () => {
    const { memory, calls } = squares(6);
    using threads = await Threads.start(count, module, memory, { own });
    assertEquals(threads.count, count);
    const lists = Array.from({ length: count }, (_, i) => calls.filter((_, c) => c % count === i));
    for (let time = 0; time < 3; time++) {
      const results = await threads.run(lists);
      assertEquals(
        results,
        lists.map((_, i) =>
          [0, 1, 2, 3, 4, 5].filter((c) => c % count === i).map((c) => c * c + 1)
        ),
      );
    }
    assertEquals(await threads.run([calls.slice(2, 4)]), [[5, 10]]);
    assertEquals(await threads.run([]), []);
  });
}

Deno.test("Threads: a call without a result gives 0", async () => {
  const { memory } = squares(1);
  using threads = await Threads.start(1, module, memory, { own: true });
  const place = 1024 * 60;
  assertEquals(await threads.run([[["mergeLora", place, place, place, 0, 0, 0, 1, place]]]), [[0]]);
});

Deno.test("Threads: a thread that does not start is an error", async () => {
  const { memory } = squares(1);
  const start = () =>
    Threads.start(2, module, memory, {
      own: true,
      createWorker: () => worker("throw new Error('no luck')"),
    });
  await assertRejects(start, Error, "Cannot train: a thread failed: ");
});

Deno.test("Threads: a thread that fails rejects its call and all that follow", async () => {
  const { memory, calls } = squares(1);
  using threads = await Threads.start(2, module, memory, {
    own: true,
    createWorker: afterStart("throw new Error('out of luck')"),
  });
  for (let time = 0; time < 2; time++) {
    const error = await assertRejects(() => threads.run([calls, calls]), Error);
    assert(error.message.startsWith("Cannot train: a thread failed: "), error.message);
    assert(error.message.includes("out of luck"), error.message);
  }
});

Deno.test("Threads: a trap of the kernels is an error", async () => {
  const { memory } = squares(1);
  const outside = ["reduceGradients", 4_000_000_000, 0, 1, 4] as const;
  using threads = await Threads.start(2, module, memory, { own: true });
  await assertRejects(
    () => threads.run([[outside], []]),
    Error,
    "Cannot train: a thread failed: ",
  );
});

Deno.test("Threads: a worker that is terminated rejects the call that runs", async () => {
  const { memory, calls } = squares(1);
  const workers: Worker[] = [];
  const silent = afterStart("{}");
  using threads = await Threads.start(2, module, memory, {
    own: true,
    createWorker: () => workers[workers.push(silent()) - 1]!,
  });
  const message = "Cannot train: one of its threads was ended";
  const running = assertRejects(() => threads.run([calls, calls]), Error, message);
  workers[1]!.terminate();
  await running;
});

Deno.test("Threads: those that stand still are noticed", async () => {
  const { memory, calls } = squares(1);
  const progress = [1024 * 60, 1024 * 61];
  const createWorker = afterStart("{}");
  using threads = await Threads.start(2, module, memory, { own: true, progress, createWorker });
  const { setInterval } = globalThis;
  let look = () => {};
  try {
    globalThis.setInterval = ((callback: () => void) => {
      look = callback;
      return setInterval(() => {}, 1e9);
    }) as typeof setInterval;
    const running = threads.run([calls, calls]);
    let error: Error | undefined;
    running.catch((reason) => error = reason);
    for (let i = 0; i < 20; i++) look();
    Atomics.add(new Int32Array(memory.buffer), progress[0]! / 4, 1); // a sign of life
    for (let i = 0; i < 30; i++) look();
    await Promise.resolve();
    assertEquals(error, undefined);
    look();
    await assertRejects(() => running, Error, "Cannot train: its threads stand still");
  } finally {
    globalThis.setInterval = setInterval;
  }
});

Deno.test("Threads: dispose() rejects the call that runs, and later ones", async () => {
  const { memory, calls } = squares(1);
  const threads = await Threads.start(2, module, memory, {
    own: true,
    createWorker: afterStart("{}"),
  });
  const message = "Cannot train: the trainer is disposed of";
  const running = assertRejects(() => threads.run([calls, calls]), Error, message);
  threads[Symbol.dispose]();
  await running;
  await assertRejects(() => threads.run([calls]), Error, message);
  threads[Symbol.dispose]();
});

for (const [when, answers] of [["at its start", 0], ["later", 1]] as const) {
  // `deno test` fails for a rejection that nobody handles, even after the test.
  Deno.test(`Threads: one that cannot be asked ${when} rejects the call, and nothing else`, async () => {
    const { memory, calls } = squares(1);
    const createWorker = () => {
      const created = afterStart("{}")();
      const postMessage = created.postMessage.bind(created) as (message: unknown) => void;
      let sent = 0;
      created.postMessage = (message: unknown) => {
        if (sent++ >= answers) throw new DOMException("not cloned", "DataCloneError");
        postMessage(message);
      };
      return created;
    };
    const run = async () => {
      using threads = await Threads.start(2, module, memory, { own: true, createWorker });
      await threads.run([calls, calls]);
    };
    await assertRejects(run, DOMException, "not cloned");
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
}

for (
  const [host, globals] of [
    ["a page that is not isolated", NOT_ISOLATED],
    ["a host without threads", CLOUDFLARE],
  ] as const
) {
  Deno.test(`Threads: in ${host} the caller's is the only one`, async () => {
    await withGlobals(globals, async () => {
      assertEquals([undefined, 1, 4].map((threads) => Threads.countFor(threads)), [1, 1, 1]);
      const { memory, calls } = squares(2);
      using threads = await Threads.start(1, module, memory, { own: false });
      assertEquals(await threads.run([calls]), [[1, 2]]);
    });
    assertEquals([undefined, 1, 4].map((threads) => Threads.countFor(threads)), [1, 1, 4]);
  });
}
