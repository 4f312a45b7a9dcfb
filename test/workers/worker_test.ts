// The built Worker under Cloudflare's workerd.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { join, resolve } from "@std/path";
import { createHandler } from "../../src/http/handler.ts";
import { build } from "../../src/cli/build.ts";
import { writePng } from "../../src/image/write_png.ts";
import { decodeImage, resize } from "../../src/mod.ts";
import { ImageDecoder } from "../../src/image/image_decoder.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { sha256 } from "../../src/tensor/sha256.ts";
import { photoOf } from "../bench/support/photo.ts";
import { run, TempFolder } from "../cli/run.ts";
import { readGolden } from "../golden/golden.ts";
import { uniform } from "../random.ts";
import { HAS_NPM, installPackages, output, Workerd } from "./workerd.ts";

const SHIP = await Deno.readFile("test/images/ship.jpg");
const ONNX = await Deno.readFile("functions/_shared/model.onnx");
const SHA256 = await sha256(ONNX);
const golden = readGolden("decoded.safetensors");
const file = (name: string) => golden.get(`${name}.file`)!.data as Uint8Array<ArrayBuffer>;

/** What a Worker may have for everything, in bytes. */
const WORKER_MEMORY = 128 * 2 ** 20;

let packages: TempFolder;
let worker: TempFolder;

const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, fn, ignore: !HAS_NPM, sanitizeOps: false, sanitizeResources: false });

Deno.test.beforeAll(async () => {
  if (!HAS_NPM) return;
  worker = await built();
  packages = await installPackages();
});
Deno.test.afterAll(() => {
  packages?.[Symbol.dispose]();
  worker?.[Symbol.dispose]();
});

/** Builds a Worker; the folder goes when it is disposed of. */
async function built(...args: string[]): Promise<TempFolder> {
  const folder = new TempFolder();
  const { code, stderr } = await run(build, [
    ...["--target", "workers", "--out", join(folder.path, "worker")],
    ...args,
  ]);
  assertEquals(code, 0, stderr);
  return folder;
}

const start = (options = {}, folder = worker) =>
  Workerd.start(packages.path, resolve(folder.path, "worker"), options);

test("a Worker has nothing of Deno, Node.js or onnxruntime, and is what wrangler takes", async () => {
  const folder = join(worker.path, "worker");
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".js")) continue;
    const text = await Deno.readTextFile(join(folder, name));
    const found = /\bDeno\.\w+|["']node:\w+|from ?"onnxruntime|new Worker\b/.exec(text);
    assertEquals(found?.[0], undefined, name);
  }
  const wrangler = resolve(packages.path, "node_modules/wrangler/bin/wrangler.js");
  const said = await output("node", [wrangler, "deploy", "--dry-run"], folder);
  assertStringIncludes(said, "--dry-run: exiting now");
  assertStringIncludes(said, "env.ASSETS");
  console.log(/Total Upload: .*/.exec(said)![0]);
});

test("a Worker answers as Deno does, to the last bit", async () => {
  await using workerd = await start();
  await using model = await loadModel(ONNX);
  using decoder = new ImageDecoder({ workers: 0 });
  const deno = createHandler({ model: { model, sha256: SHA256 }, decoder, decode: "fast" });
  const embeddings = JSON.stringify({
    model: "vit-msn",
    input: `data:image/jpeg;base64,${SHIP.toBase64()}`,
  });
  const json = { headers: { "content-type": "application/json" } };
  const tensor = JSON.stringify({
    inputs: [{ name: "images", datatype: "BYTES", shape: [1], data: [SHIP.toBase64()] }],
  });
  const begin = performance.now();
  for (
    const [path, body, init] of [
      ["/classify", SHIP, {}],
      ["/embed", SHIP, {}],
      ["/v1/embeddings", embeddings, json],
      ["/v2/models/vit-msn/infer", tensor, json],
      ["/attention?threshold=0.5", SHIP, { headers: { accept: "application/json" } }],
      ["/classify", await Deno.readFile("test/images/dog.jpg"), {}],
      ["/classify?top_k=10", await photoOf(1000, 800), {}],
      ...["jpeg_cmyk", "png_rgba", "png_palette", "gif", "gif_animated", "webp_lossless"]
        .map((name) => ["/classify", file(name), {}] as const),
      ["/classify", file("webp_lossy_alpha"), {}],
      ["/classify", file("jpeg_420"), {}],
    ] as const
  ) {
    const answer = await workerd.post(path, body, init);
    if (body === SHIP && path === "/classify") {
      console.log(
        `first label ${Math.round(performance.now() - begin)} ms after workerd was ready`,
      );
    }
    const url = `http://localhost${path}`;
    const expected = await deno(new Request(url, { method: "POST", body, ...init }));
    assertEquals(answer.status, 200, answer.text);
    assertEquals(withoutId(answer.text), withoutId(await expected.text()));
  }
  const { text, status } = await workerd.fetch("/openapi.json");
  assertEquals(status, 200);
  const paths = ["/classify", "/embed", "/attention", "/v1/embeddings", "/v2/models/{model}/infer"];
  for (const path of paths) assert(path in JSON.parse(text).paths, path);
  assertStringIncludes((await workerd.fetch("/metrics")).text, `sha256="${SHA256}"`);
  // The model is no public file.
  assertEquals((await workerd.fetch("/model.packed")).status, 404);
});

/** The Open Inference Protocol gives each answer an id. */
function withoutId(text: string): string {
  return text.replace(/"id":"[^"]*",?/, "");
}

test("a Worker refuses what it must: keys, damage, and images over its memory", async () => {
  await using workerd = await start({ bindings: { API_KEYS: "one, two", MODEL_NAME: "ships" } });
  const headers = { authorization: "Bearer two" };
  assertEquals((await workerd.post("/classify", SHIP)).status, 401);
  const wrong = { authorization: "Bearer three" };
  assertEquals((await workerd.post("/classify", SHIP, { headers: wrong })).status, 401);
  assertEquals((await workerd.post("/classify", SHIP, { headers })).status, 200);
  assertStringIncludes((await workerd.fetch("/v1/models", { headers })).text, "ships");
  const corrupt = await workerd.post("/classify", SHIP.subarray(0, 400), { headers });
  assertEquals(corrupt.status, 422);
  assertEquals((await workerd.post("/classify", "no image", { headers })).status, 415);
  const png = await writePng({ width: 3000, height: 2000, data: new Uint8Array(18_000_000) });
  const large = await workerd.post("/classify", png as Uint8Array<ArrayBuffer>, { headers });
  assertEquals(large.status, 422);
  assertStringIncludes(
    large.text,
    "3000 × 2000 pixels would take 90 MB of memory, more than 40 MB; send a smaller one",
  );
  const tooLong = await workerd.post("/classify", new Uint8Array(10_000_001), { headers });
  assertEquals(tooLong.status, 413);
  assertEquals((await workerd.post("/classify", SHIP, { headers })).status, 200);
});

test("a Worker goes on after clients that have gone", async () => {
  await using workerd = await start();
  const photo = await photoOf(3000, 2000);
  for (const patience of [1, 20, 60, 150]) {
    // Also while its model is being loaded.
    const requests = Array.from(
      { length: 4 },
      () =>
        workerd.post("/classify", photo, { signal: AbortSignal.timeout(patience) }).catch(() => {}),
    );
    await Promise.all(requests);
  }
  const signal = AbortSignal.timeout(20_000);
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => workerd.post("/classify", SHIP, { signal })),
  );
  for (const { status, text } of answers) assertEquals(status, 200, text);
});

test("a Worker's requests share the model: what one has begun does not end with it", async () => {
  await using workerd = await start();
  // Pixels of several images wait for the model together, across requests.
  const data = Array(8 * 3 * 32 * 32).fill(0.5);
  const inputs = [{ name: "pixel_values", datatype: "FP32", shape: [8, 3, 32, 32], data }];
  const body = JSON.stringify({ inputs });
  const init = {
    headers: { "content-type": "application/json" },
    signal: AbortSignal.timeout(20_000),
  };
  await workerd.post("/classify", SHIP);
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => workerd.post("/v2/models/vit-msn/infer", body, init)),
  );
  for (const { status, text } of answers) assert([200, 429].includes(status), text);
  assertEquals((await workerd.post("/classify", SHIP)).status, 200);
});

test("a Worker frees what clients have taken that have gone in the middle of an upload", async () => {
  await using workerd = await start();
  const { hostname, port } = new URL(workerd.url);
  const head = `POST /classify HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: 9000000\r\n\r\n`;
  for (let i = 0; i < 4; i++) {
    using connection = await Deno.connect({ hostname, port: Number(port) });
    const writer = connection.writable.getWriter();
    await writer.write(new TextEncoder().encode(head));
    await writer.write(new Uint8Array(3_000_000));
    await delay(300);
  }
  let metrics = "";
  for (let tries = 0; tries < 50 && !metrics.includes("vit_msn_body_bytes 0\n"); tries++) {
    await delay(100);
    metrics = (await workerd.fetch("/metrics")).text;
  }
  assertStringIncludes(metrics, "vit_msn_body_bytes 0\n");
  assertEquals((await workerd.post("/classify", SHIP)).status, 200);
});

test("a Worker reads its model from R2, packed or ONNX, and checks its SHA-256", async () => {
  const packed = join(worker.path, "worker/assets/model.packed");
  const bindings = { MODEL_KEY: "models/mine", MODEL_SHA256: SHA256 };
  for (const path of [packed, "functions/_shared/model.onnx"]) {
    await using workerd = await start({ bindings, objects: { "models/mine": path } });
    const answer = await workerd.post("/classify?top_k=1", SHIP);
    assertEquals(answer.status, 200, answer.text);
    assertStringIncludes(answer.text, "ship");
  }
  const other = { MODEL_KEY: "models/mine", MODEL_SHA256: "0".repeat(64) };
  const missing = { MODEL_KEY: "models/yours" };
  for (const bindings of [other, missing, {}]) {
    await using workerd = await start({ bindings, objects: { "models/mine": packed } });
    assertEquals((await workerd.post("/classify", SHIP)).status, 500);
  }
  await using unusable = await start({ bindings: { DECODE: "exact" } });
  const answer = await unusable.post("/classify", SHIP);
  assertEquals(answer.status, 500);
  assertStringIncludes(answer.text, "settings");
});

test("a Worker stays below 128 MB with photos of 12 megapixels, and with all that it lets in", async () => {
  const baseline = await photoOf(4000, 3000, { progressive: false, quality: 97 });
  const progressive = await photoOf(4000, 3000, { chroma_subsample: 2, auto_subsample: false });
  const idle = await idleMemory();
  await using workerd = await start();
  /** The Worker's own: workerd itself, and miniflare's Workers for assets, are idle. */
  const peak = async () => await workerd.peakMemory() - idle;
  const send = async (name: string, body: Uint8Array, times: number, path = "/classify") => {
    for (let i = 0; i < times; i++) {
      const answer = await workerd.post(path, body as Uint8Array<ArrayBuffer>);
      assertEquals(answer.status, 200, answer.text);
    }
    const bytes = await peak();
    console.log(`peak memory ${megabytes(bytes)} after ${name} (${megabytes(body.length)})`);
    assert(bytes < WORKER_MEMORY, `${name}: ${bytes}`);
  };
  console.log(`an idle workerd has ${megabytes(idle)}; the Worker adds`);
  await send("its first image", SHIP, 1);
  await send("12 megapixels, baseline", baseline, 1);
  await send("12 megapixels, progressive", progressive, 1);
  await send("20 of these", progressive, 20);
  const png = await largestPng();
  await send("2.6 megapixels of PNG", png, 5);
  await send("pictures of its attention", png, 5, "/attention");
  await send("pictures of attention on 12 megapixels", progressive, 5, "/attention");
  const together = [baseline, progressive, png];
  const answers = await Promise.all(
    ["/classify", "/attention"].flatMap((path) =>
      together.map((body) => workerd.post(path, body as Uint8Array<ArrayBuffer>))
    ),
  );
  for (const { status } of answers) assert([200, 429].includes(status), `${status}`);
  const bytes = await peak();
  console.log(`peak memory ${megabytes(bytes)} after all of them at once`);
  assert(bytes < WORKER_MEMORY, `${bytes}`);
});

/** How much an idle workerd has that runs another Worker, with the same Workers of miniflare for assets. */
async function idleMemory(): Promise<number> {
  using folder = new TempFolder();
  folder.write("worker/index.js", "export default { fetch: () => new Response('idle') };");
  folder.write("worker/assets/empty.txt", "empty");
  const config = await Deno.readTextFile(join(worker.path, "worker/wrangler.toml"));
  folder.write("worker/wrangler.toml", config);
  await using workerd = await start({}, folder);
  assertEquals((await workerd.fetch("/")).text, "idle");
  return await workerd.peakMemory();
}

/** The largest PNG that a Worker takes, of a photo: 2.6 megapixels. */
async function largestPng(): Promise<Uint8Array> {
  const photo = resize(await decodeImage(SHIP), 2000, 1330, "bicubic");
  const random = uniform(1);
  for (let i = 0; i < photo.data.length; i++) photo.data[i]! ^= 8 * random();
  return await writePng(photo);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
