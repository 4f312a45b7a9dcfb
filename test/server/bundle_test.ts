// A fresh bundle's very first answer, of each kind: before its decode worker runs it answers as after.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { photoOf } from "../bench/support/photo.ts";
import { exchange, form, post, type RawRequest, requestBytes } from "../fuzz/raw_request.ts";
import { jpegBomb } from "../image/hostile_files.ts";
import { bundleArgs, bundled } from "./bundle.ts";
import { ServerProcess } from "./server_process.ts";

const SHIP = await Deno.readFile("test/images/ship.jpg");
const BASE64 = SHIP.toBase64();

/** The beginning of a file of that brand, which is told by it. */
function isoMedia(brand: string): string {
  return `\0\0\0\x20ftyp${brand}\0\0\0\0mif1${brand}${"\0".repeat(1000)}`;
}

/** What is asked first, its status and words of the answer. */
const FIRST:
  readonly (readonly [string, () => RawRequest | Promise<RawRequest>, number, string])[] = [
    ["an image", () => post("/classify", SHIP), 200, '"ship"'],
    ["12 megapixels", async () => post("/classify", await photoOf(4000, 3000)), 200, '"ship"'],
    ["a truncated image", () => post("/classify", SHIP.subarray(0, 3000)), 422, "Cannot decode"],
    [
      "a truncated large image",
      async () => post("/classify", (await photoOf(4000, 3000)).subarray(0, 300_000)),
      422,
      "Cannot decode",
    ],
    [
      "100 megapixels",
      () => post("/classify", jpegBomb(10_000, 10_000, false)),
      422,
      "over the limit",
    ],
    ["a text", () => post("/classify", "hello"), 415, "no image format known"],
    ["AVIF", () => post("/classify", isoMedia("avif")), 415, "AVIF"],
    ["HEIC", () => post("/classify", isoMedia("heic")), 415, "HEIC"],
    ["an SVG", () => post("/classify", "<svg/>"), 415, "SVG"],
    ["nothing", () => post("/classify", ""), 400, "no image"],
    ["a form", () => form("/classify", [['name="image"; filename="a"', SHIP]]), 200, '"ship"'],
    ["a form without an image", () => form("/classify", [['name="top_k"', "1"]]), 400, "no image"],
    ["base64", () => post("/classify", { inputs: BASE64 }), 200, '"ship"'],
    ["no base64", () => post("/classify", { inputs: "!" }), 400, "base64"],
    ["no JSON", () => post("/classify", "{"), 400, "not JSON"],
    ["a wrong parameter", () => post("/classify?top_k=0", SHIP), 400, "top_k is 0"],
    ["too much", () => post("/classify", new Uint8Array(20_000_001)), 413, "more than 20000000"],
    ["nowhere", () => post("/nowhere", SHIP), 404, "nothing here"],
    [
      "a wrong method",
      () => ({ method: "GET", path: "/classify", headers: [], body: new Uint8Array() }),
      405,
      "POST",
    ],
  ];

let folder: Awaited<ReturnType<typeof bundled>>;

Deno.test.beforeAll(async () => {
  folder = await bundled();
});
Deno.test.afterAll(() => folder[Symbol.dispose]());

for (const [name, request, status, words] of FIRST) {
  Deno.test(`a bundle that is asked first for ${name} answers ${status}`, async () => {
    const bytes = requestBytes(await request());
    await using server = await ServerProcess.start({
      args: bundleArgs("classify"),
      cwd: folder.path,
    });
    const answer = await exchange(server.port, bytes);
    assertEquals(answer.status, status, answer.text);
    assertStringIncludes(answer.text, words);
  });
}
