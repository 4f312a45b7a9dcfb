// A fresh bundle's very first answer, of each kind: before its decode worker runs it answers as after.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import importMap from "../../import_map.json" with { type: "json" };
import { photoOf } from "../bench/support/photo.ts";
import { exchange, form, post, type RawRequest, requestBytes } from "../fuzz/raw_request.ts";
import { sha256 } from "../../src/tensor/sha256.ts";
import { jpegBomb } from "../image/hostile_files.ts";
import { bundleArgs, bundled } from "./bundle.ts";
import { type ServerOptions, ServerProcess } from "./server_process.ts";

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

const ONNX = await Deno.readFile("functions/_shared/model.onnx");
const SHA256 = await sha256(ONNX);

const start = (env: ServerOptions["env"] = {}, cwd = folder.path) =>
  ServerProcess.start({ args: bundleArgs("classify"), cwd, env });

/** The labels of a ship's photo, and the hash in the metrics. */
async function answerOf(server: ServerProcess): Promise<{ text: string; sha256: string }> {
  const { status, text } = await server.post("/classify", SHIP);
  assertEquals(status, 200, text);
  const metrics = await (await fetch(server.url("/metrics"))).text();
  return { text, sha256: /vit_msn_model_info\{.*sha256="(\w*)"/.exec(metrics)![1]! };
}

Deno.test("a bundle answers alike with packed weights, with ONNX beside it and with ONNX in it", async () => {
  await using packed = await start({ MODEL_SHA256: SHA256 });
  const expected = await answerOf(packed);
  assertEquals(expected.sha256, SHA256);
  Deno.writeFileSync(`${folder.path}/dist/other.onnx`, ONNX);
  await using beside = await start({ MODEL_URL: "./other.onnx", MODEL_SHA256: SHA256 });
  assertEquals(await answerOf(beside), expected);
  using onnx = await bundled(["--weights", "onnx"]);
  const names = [...Deno.readDirSync(`${onnx.path}/dist`)].map(({ name }) => name);
  assert(names.includes("model.onnx") && !names.includes("model.packed"));
  await using within = await start({}, onnx.path);
  assertEquals(await answerOf(within), expected);
});

Deno.test("a bundle without workers answers with packed weights and with ONNX", async () => {
  using supabase = await bundled(["--target", "supabase"]);
  const functions = `${supabase.path}/dist/functions/classify`;
  assertStringIncludes(Deno.readTextFileSync(`${supabase.path}/dist/config.toml`), "model.packed");
  Deno.writeFileSync(`${functions}/other.onnx`, ONNX);
  const args = [...bundleArgs("classify").slice(0, -1), "dist/functions/classify/index.js"];
  for (const env of [{}, { MODEL_URL: "./other.onnx" }]) {
    await using server = await ServerProcess.start({ args, cwd: supabase.path, env });
    assertEquals((await answerOf(server)).sha256, SHA256);
  }
});

Deno.test("--with-index makes a function more, and the others are the same", async () => {
  using plain = await bundled(["--target", "supabase"]);
  using supabase = await bundled(["--target", "supabase", "--with-index"]);
  const read = (folder: string, path: string) => Deno.readTextFileSync(`${folder}/dist/${path}`);
  for (const name of ["classify", "embed"]) {
    const path = `functions/${name}/index.js`;
    assertEquals(read(supabase.path, path), read(plain.path, path));
  }
  assertStringIncludes(
    read(supabase.path, "config.toml"),
    "[functions.index]\nenabled = true\nverify_jwt = false\n",
  );
  const code = read(supabase.path, "functions/index/index.js");
  for (const name of ["postgres", "pg-boss"]) {
    assertStringIncludes(code, `import("${importMap.imports[name as "postgres"]}")`);
  }
  assert(code.length < 220_000, `${code.length}`);
});

Deno.test("a bundle says in its log what is wrong with its model", async () => {
  const path = `${folder.path}/dist/model.packed`;
  const whole = Deno.readFileSync(path);
  const logOf = async (env: ServerOptions["env"] = {}) => {
    const server = await start(env);
    const { status, text } = await server.post("/classify", SHIP);
    assertEquals(status, 500);
    assert(!text.includes("packed"), text);
    server.kill("SIGTERM");
    return (await server.ended()).output;
  };
  try {
    assertStringIncludes(await logOf({ MODEL_SHA256: "0".repeat(64) }), `its SHA-256 is ${SHA256}`);
    Deno.writeFileSync(path, whole.subarray(0, -1));
    assertStringIncludes(await logOf(), "build again");
  } finally {
    Deno.writeFileSync(path, whole);
  }
});

Deno.test("a bundle decodes exactly if it is built for that, and else says how to get it", async () => {
  using exact = await bundled(["--decode", "exact"]);
  const names = (path: string) => [...Deno.readDirSync(`${path}/dist`)].map(({ name }) => name);
  assert(names(exact.path).includes("mozjpeg.wasm"));
  assert(!names(folder.path).includes("mozjpeg.wasm"));
  await using server = await start({}, exact.path);
  for (let i = 0; i < 3; i++) assertStringIncludes((await answerOf(server)).text, '"ship"');
  const large = await server.post("/classify", await photoOf(4000, 3000));
  assertEquals(large.status, 200, large.text);
  const cut = await server.post("/classify", SHIP.subarray(0, -2));
  assertEquals(cut.status, 422);
  assertStringIncludes(cut.text, "cut off");
  const { success, stderr } = await new Deno.Command("deno", {
    args: bundleArgs("classify"),
    cwd: folder.path,
    env: { DECODE: "exact", PORT: "0" },
  }).output();
  assert(!success);
  assertStringIncludes(
    new TextDecoder().decode(stderr),
    "DECODE: it is exact, not one of standard, fast; exact needs a bundle built with --decode exact",
  );
});
