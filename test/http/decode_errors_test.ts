// What a client is told when an image is not decoded: whether it is the image's fault or the machine's.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { RequestLogEntry } from "../../src/http/handler.ts";
import type { RawImage } from "../../src/image/raw_image.ts";
import { ImageDecoder } from "../../src/image/image_decoder.ts";
import { post, service, SHIP } from "./service.ts";

class FailingDecoder extends ImageDecoder {
  readonly #error: Error;

  constructor(error: Error) {
    super({ workers: 0 });
    this.#error = error;
  }

  override decode(): Promise<RawImage> {
    return Promise.reject(this.#error);
  }
}

/** As in a bundle that has the class twice. */
class OtherImageDecodeError extends Error {
  override name = "ImageDecodeError";
}

async function ask(error: Error): Promise<{ response: Response; entries: RequestLogEntry[] }> {
  const entries: RequestLogEntry[] = [];
  const handler = service({
    decoder: new FailingDecoder(error),
    log: (entry) => entries.push(entry),
  });
  return { response: await handler(post("/classify", SHIP)), entries };
}

Deno.test("an image that takes too long is not said to be damaged", async () => {
  const { response } = await ask(new DOMException("it took over 10000 ms", "TimeoutError"));
  assertEquals(response.status, 504);
  await response.body?.cancel();
});

Deno.test("a decoder that fails is a matter of the service, and its log says why", async () => {
  const { response, entries } = await ask(new Error("its worker failed: out of memory"));
  assertEquals(response.status, 503);
  assertMatch(response.headers.get("retry-after")!, /^\d+$/);
  assertStringIncludes(await response.text(), "cannot be decoded now");
  assertEquals(entries[0]?.error, "its worker failed: out of memory");
});

Deno.test("an error is told by its name, where a bundle has its class twice", async () => {
  const { response } = await ask(new OtherImageDecodeError("its data are damaged"));
  assertEquals(response.status, 422);
  assertStringIncludes(await response.text(), "its data are damaged");
});

Deno.test("a size that takes too much memory is refused before it is decoded", async () => {
  const small = service({ limits: { maxDecodeBytes: 480 * 360 * 16 - 800_000 } });
  const response = await small(post("/classify", SHIP));
  assertEquals(response.status, 422);
  assertStringIncludes(
    await response.text(),
    "480 × 360 pixels would take 3 MB of memory, more than 2 MB",
  );
  const enough = service({ limits: { maxDecodeBytes: 480 * 360 * 16 } });
  assertEquals((await enough(post("/classify", SHIP))).status, 200);
  // Scaled down while it is decoded, it takes less.
  const scaled = service({
    decode: "fast",
    limits: { maxDecodeBytes: 480 * 360 * 16 - 800_000 },
  });
  assertEquals((await scaled(post("/classify", SHIP))).status, 200);
});
