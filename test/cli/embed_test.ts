import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { embed } from "../../src/cli/embed.ts";
import { decodeImage, loadModel } from "../../src/mod.ts";
import { readGolden } from "../golden/golden.ts";
import { cosine } from "../golden/model.ts";
import { run, TempFolder } from "./run.ts";

const png = readGolden("decoded.safetensors").get("png_rgb.file")!.data as Uint8Array<ArrayBuffer>;

async function embedding(...args: string[]) {
  const { code, stdout, stderr } = await run(embed, ["-", ...args], { stdin: png });
  assertEquals([code, stderr], [0, ""]);
  const { file, embedding } = JSON.parse(stdout);
  assertEquals(file, "-");
  return embedding;
}

Deno.test("embed prints the CLS token, the patches' mean, or every token", async () => {
  const cls: number[] = await embedding();
  const mean: number[] = await embedding("--pool", "mean");
  const tokens: number[][] = await embedding("--pool", "none");
  assertEquals([cls.length, mean.length, tokens.length], [192, 192, 65]);
  assertEquals(tokens[0], cls);
  for (let d = 0; d < 192; d++) {
    const sum = tokens.slice(1).reduce((sum, token) => sum + token[d]!, 0);
    assertAlmostEquals(mean[d]!, sum / 64, 1e-6);
  }
  // The printed numbers are the float32 ones, to the last bit.
  await using model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));
  const { data } = await model.embed(await decodeImage(png));
  assertEquals(Float32Array.from(cls), data);
});

Deno.test("embed --normalize scales every vector to length 1", async () => {
  const cls: number[] = await embedding("--normalize");
  const tokens: number[][] = await embedding("--normalize", "--pool", "none");
  for (const vector of [cls, ...tokens]) assertAlmostEquals(Math.hypot(...vector), 1, 1e-6);
  assertEquals(tokens[0], cls);
});

Deno.test("embed gives about the same vectors with every --backend, and any --threads", async () => {
  for (const keep of [[], ["--keep-patches", "0.25"]]) {
    const simd: number[] = await embedding("--backend", "simd", ...keep);
    assertEquals(await embedding("--backend", "simd", "--threads", "3", ...keep), simd);
    // The embedded model's products are in 8 bits: a last bit may become a step of them.
    const wasm: number[] = await embedding("--backend", "wasm", ...keep);
    const similarity = cosine(Float32Array.from(wasm), Float32Array.from(simd));
    console.log(`cosine ${similarity.toFixed(7)}`);
    assert(similarity > 0.999);
  }
});

Deno.test("embed --keep-patches has a token of CLS and of each patch that is kept", async () => {
  const tokens: number[][] = await embedding("--pool", "none", "--keep-patches", "0.25");
  assertEquals(tokens.length, 17);
});

Deno.test("embed reports an image that fails as a JSON line, and exits with 1", async () => {
  const { code, stdout } = await run(embed, ["missing.jpg"]);
  assertEquals(code, 1);
  assertEquals(JSON.parse(stdout), { file: "missing.jpg", error: "no such file" });
});

Deno.test("embed prints the same with any --jobs, failures in their places", async () => {
  using folder = new TempFolder();
  for (let i = 0; i < 23; i++) folder.write(`${i}.png`, i % 7 === 5 ? "no image" : png);
  const [one, two, shared] = await Promise.all([
    ["--jobs", "1"],
    ["--jobs", "2"],
    ["--jobs", "3", "--threads", "2"],
  ].map((jobs) => run(embed, [folder.path, ...jobs])));
  assertEquals(two, one);
  assertEquals(shared, one);
  assertEquals([one!.code, one!.stdout.split("\n").length], [1, 24]);
});

Deno.test("embed reports just the image of a batch that fails", async () => {
  using folder = new TempFolder();
  const args = ["missing.png", folder.write("a.png", png), "-"];
  const { code, stdout } = await run(embed, [...args, "--jobs", "2"], { stdin: png });
  assertEquals(code, 1);
  const [missing, ...others] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(missing, { file: "missing.png", error: "no such file" });
  assertEquals(others.map(({ embedding }) => embedding.length), [192, 192]);
});

Deno.test("embed refuses --jobs that the engine cannot do", async () => {
  for (
    const [args, words] of [
      [["--jobs", "0"], "--jobs is 0"],
      [["--jobs", "2", "--backend", "wasm"], "--jobs is 2, but --backend wasm runs in one thread"],
    ] as const
  ) {
    const { code, stderr } = await run(embed, ["-", ...args]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, words);
  }
});

Deno.test("embed refuses a pooling that there is not", async () => {
  const { code, stderr } = await run(embed, ["-", "--pool", "max"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "--pool is max, not one of cls, mean, none");
});
