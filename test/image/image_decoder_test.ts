import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { decodeImage } from "../../src/image/decode_image.ts";
import type { DecodeRequest } from "../../src/image/decode_worker.ts";
import { ImageDecodeError } from "../../src/image/image_decode_error.ts";
import type { ImageLimits } from "../../src/image/image_header.ts";
import { ImageDecoder } from "../../src/image/image_decoder.ts";
import { readGolden } from "../golden/golden.ts";
import { CLOUDFLARE, NODE, withGlobals } from "../host/with_globals.ts";

const golden = readGolden("decoded.safetensors");
const NAMES = [
  "jpeg_420",
  "jpeg_orientation_6",
  "png_rgba",
  "gif_offset",
  "webp_lossy",
  "webp_animated",
];
const FILES = NAMES.map((name) => golden.get(`${name}.file`)!.data as Uint8Array);
const HANG = Uint8Array.of(1);
const CRASH = Uint8Array.of(2);

/** Longer than a worker takes to start on a busy machine. */
const TIMEOUT = 6000;

function misbehaving(workers: number): ImageDecoder {
  const url = new URL("./misbehaving_worker.ts", import.meta.url);
  const createWorker = () => new Worker(url, { type: "module" });
  return new ImageDecoder({ workers, timeout: TIMEOUT, createWorker });
}

for (const workers of [0, 1, 2]) {
  Deno.test(`ImageDecoder gives what decodeImage() gives, with ${workers} workers`, async () => {
    using decoder = new ImageDecoder({ workers });
    const images = await Promise.all(FILES.map((file) => decoder.decode(file)));
    assertEquals(images, await Promise.all(FILES.map((file) => decodeImage(file))));
    const fast = { decode: "fast", size: { width: 9, height: 9 } } as const;
    assertEquals(await decoder.decode(FILES[0]!, fast), await decodeImage(FILES[0]!, fast));
    assert(FILES[0]!.length > 0); // the caller keeps its bytes
  });

  Deno.test(`ImageDecoder refuses as decodeImage() does, with ${workers} workers`, async () => {
    using decoder = new ImageDecoder({ workers });
    const text = new TextEncoder().encode("hello");
    await assertRejects(() => decoder.decode(text), ImageDecodeError, "no image format known");
    const limits = { maxBytes: 1, maxPixels: 1, maxSide: 1 };
    await assertRejects(
      () => decoder.decode(FILES[0]!, { limits }),
      ImageDecodeError,
      "more than 1",
    );
    const fast = { decode: "fast" } as const;
    await assertRejects(() => decoder.decode(FILES[0]!, fast), TypeError, "require each other");
    assertEquals((await decoder.decode(FILES[0]!)).width, 45);
  });
}

Deno.test("ImageDecoder ends an image that takes too long, and goes on with the next", async () => {
  using decoder = misbehaving(1);
  const hanging = assertRejects(() => decoder.decode(HANG), DOMException, "took over 6000 ms");
  const next = decoder.decode(FILES[0]!);
  await hanging;
  assertEquals((await next).width, 45);
});

Deno.test("ImageDecoder counts no time in which the caller's thread was busy", async () => {
  using decoder = new ImageDecoder({ workers: 1, timeout: 300 });
  await decoder.decode(FILES[0]!); // the worker has started
  const images = FILES.slice(0, 2).map((file) => decoder.decode(file));
  for (const end = performance.now() + 500; performance.now() < end;);
  assertEquals(
    await Promise.all(images),
    await Promise.all(FILES.slice(0, 2).map((f) => decodeImage(f))),
  );
});

Deno.test("ImageDecoder keeps other workers busy while one hangs", async () => {
  using decoder = misbehaving(2);
  const hanging = assertRejects(() => decoder.decode(HANG), DOMException);
  let hung = true;
  hanging.then(() => hung = false);
  for (const file of FILES) await decoder.decode(file);
  assert(hung);
  await hanging;
});

Deno.test("ImageDecoder turns a worker's end into an error, and goes on with the next", async () => {
  using decoder = misbehaving(1);
  await assertRejects(() => decoder.decode(CRASH), Error, "the worker is broken");
  assertEquals((await decoder.decode(FILES[0]!)).width, 45);
});

Deno.test("ImageDecoder rejects what is not finished when it is disposed of", async () => {
  const decoder = misbehaving(1);
  const running = assertRejects(() => decoder.decode(HANG), Error, "is disposed");
  const waiting = assertRejects(() => decoder.decode(FILES[0]!), Error, "is disposed");
  decoder[Symbol.dispose]();
  await Promise.all([running, waiting]);
  await assertRejects(() => decoder.decode(FILES[0]!), Error, "is disposed");
});

Deno.test("ImageDecoder rejects just the image whose worker cannot be made", async () => {
  let fails = true;
  using decoder = new ImageDecoder({
    workers: 1,
    createWorker() {
      if (fails) throw new Error("no worker to be had");
      return new Worker(new URL("../../src/image/decode_worker.ts", import.meta.url), {
        type: "module",
      });
    },
  });
  await assertRejects(() => decoder.decode(FILES[0]!), Error, "no worker to be had");
  fails = false;
  assertEquals((await decoder.decode(FILES[0]!)).width, 45);
});

Deno.test("ImageDecoder rejects just the image that cannot be sent", async () => {
  using decoder = new ImageDecoder({ workers: 1 });
  const limits = { maxBytes: () => 1 } as unknown as ImageLimits; // a function cannot be cloned
  const first = decoder.decode(FILES[0]!);
  const bad = assertRejects(
    () => decoder.decode(FILES[1]!, { limits }),
    Error,
    "could not be cloned",
  );
  const last = decoder.decode(FILES[2]!);
  await bad;
  assertEquals((await first).width, 45);
  assertEquals((await last).width, 45);
});

Deno.test("ImageDecoder decodes the bytes as they were when it was called", async () => {
  using decoder = new ImageDecoder({ workers: 1 });
  const bytes = FILES[2]!.slice();
  const image = decoder.decode(bytes);
  bytes.fill(0);
  assertEquals(await image, await decodeImage(FILES[2]!));
});

Deno.test("ImageDecoder decodes small images before it has workers, and starts them then", async () => {
  const started: Worker[] = [];
  const createWorker = () => {
    const url = new URL("../../src/image/decode_worker.ts", import.meta.url);
    started.push(new Worker(url, { type: "module" }));
    return started.at(-1)!;
  };
  using decoder = new ImageDecoder({ workers: 2, pixelsBeforeWorkers: 2000, createWorker });
  const expected = await Promise.all(FILES.map((file) => decodeImage(file)));
  assertEquals(await decoder.decode(FILES[0]!), expected[0]);
  assertEquals(started.length, 0);
  while (started.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(started.length, 2);
  assertEquals(await Promise.all(FILES.map((file) => decoder.decode(file))), expected);
  assertEquals(started.length, 2);
});

Deno.test("ImageDecoder leaves to a worker what is larger or damaged", async () => {
  let started = 0;
  const createWorker = () => {
    started++;
    const url = new URL("../../src/image/decode_worker.ts", import.meta.url);
    return new Worker(url, { type: "module" });
  };
  using decoder = new ImageDecoder({ workers: 1, pixelsBeforeWorkers: 100, createWorker });
  assertEquals(await decoder.decode(FILES[0]!), await decodeImage(FILES[0]!));
  assertEquals(started, 1);
  using other = new ImageDecoder({ workers: 1, pixelsBeforeWorkers: 2000, createWorker });
  const text = new TextEncoder().encode("hello");
  await assertRejects(() => other.decode(text), ImageDecodeError, "no image format known");
});

Deno.test("ImageDecoder without a deadline sets no timer", async () => {
  using decoder = new ImageDecoder({ workers: 1, timeout: Infinity });
  assertEquals((await decoder.decode(FILES[0]!)).width, 45);
});

Deno.test("ImageDecoder says how many images it decodes at a time: in the caller's thread, one", () => {
  const concurrency = (workers: number) => {
    using decoder = new ImageDecoder({ workers });
    return decoder.concurrency;
  };
  assertEquals([0, 1, 3].map(concurrency), [1, 1, 3]);
});

Deno.test("ImageDecoder refuses settings that make no sense", () => {
  assertThrows(() => new ImageDecoder({ workers: -1 }), RangeError, "workers is -1");
  assertThrows(() => new ImageDecoder({ workers: 1.5 }), RangeError);
  assertThrows(() => new ImageDecoder({ timeout: 0 }), RangeError, "timeout is 0");
  assertThrows(() => new ImageDecoder({ timeout: NaN }), RangeError);
  assertThrows(() => new ImageDecoder({ timeout: 2 ** 31 }), RangeError);
});

Deno.test("ImageDecoder hands a header that it has read on to the worker, and trusts no other", async () => {
  const requests: DecodeRequest[] = [];
  const createWorker = () => {
    const worker = new Worker(new URL("../../src/image/decode_worker.ts", import.meta.url), {
      type: "module",
    });
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (request, transfer) => {
      requests.push({ ...request });
      post(request, transfer as Transferable[]);
    };
    return worker;
  };
  using decoder = new ImageDecoder({ workers: 1, createWorker });
  for (const file of FILES) {
    const header = await decoder.readHeader(file);
    assertEquals(await decoder.decode(file, {}, header), await decodeImage(file));
    assertEquals(requests.at(-1)!.header, header);
  }
  const [first, second] = FILES as [Uint8Array, Uint8Array];
  const limits = { maxBytes: 1e6, maxPixels: 10, maxSide: 10 };
  const header = await decoder.readHeader(first);
  for (
    const { bytes, options, header: given } of [
      { bytes: second, options: {}, header }, // of other bytes
      { bytes: first.slice(), options: {}, header },
      { bytes: first, options: {}, header: { ...header } }, // made up
      { bytes: first, options: { limits }, header }, // it has not passed these
    ]
  ) {
    const decoded = decoder.decode(bytes, options, given);
    if ("limits" in options) await assertRejects(() => decoded, ImageDecodeError, "over the limit");
    else assertEquals(await decoded, await decodeImage(bytes));
    assertEquals(requests.at(-1)!.header, undefined);
  }
});

Deno.test("ImageDecoder decodes in the caller's thread on a host without threads", async () => {
  await withGlobals(CLOUDFLARE, async () => {
    using decoder = new ImageDecoder({ workers: 2 });
    assertEquals(decoder.concurrency, 1);
    const images = await Promise.all(FILES.map((file) => decoder.decode(file)));
    assertEquals(images, await Promise.all(FILES.map((file) => decodeImage(file))));
    const text = new TextEncoder().encode("hello");
    await assertRejects(() => decoder.decode(text), ImageDecodeError, "no image format known");
  });
});

Deno.test("ImageDecoder decodes in threads of Node.js", async () => {
  await withGlobals(NODE, async () => {
    using decoder = new ImageDecoder({ workers: 2 });
    assertEquals(decoder.concurrency, 2);
    const images = await Promise.all(FILES.map((file) => decoder.decode(file)));
    assertEquals(images, await Promise.all(FILES.map((file) => decodeImage(file))));
  });
});
