import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { attention } from "../../src/cli/attention.ts";
import { decodeImage } from "../../src/image/decode_image.ts";
import { attentionJson } from "../../src/model/attention/attention_json.ts";
import { attentionMap } from "../../src/model/attention/attention_map.ts";
import { computeAttentions } from "../../src/model/attention/compute_attentions.ts";
import { overlayAttention } from "../../src/model/attention/overlay_attention.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { run, TempFolder } from "./run.ts";

const PHOTO = "test/images/ship.jpg";
const bytes = await Deno.readFile(PHOTO);

Deno.test("attention --json prints what the library computes", async () => {
  await using model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));
  for (
    const [args, keep, choice] of [
      [[], {}, {}],
      [["--head", "1", "--layer", "2", "--threshold", "0.5"], {}, {
        head: 1,
        layer: 2,
        threshold: 0.5,
      }],
      [["--rollout", "--layer=-2"], {}, { rollout: true, layer: -2 }],
      [
        ["--keep-patches", "0.5", "--seed", "7", "--head", "mean"],
        { keepPatches: 0.5, seed: 7 },
        {},
      ],
    ] as const
  ) {
    const { code, stdout, stderr } = await run(attention, [PHOTO, "--json", ...args]);
    assertEquals([code, stderr], [0, ""]);
    const { labels, ...attentions } = await computeAttentions(model, bytes, keep);
    const map = attentionJson(attentionMap(attentions, choice));
    assertEquals(JSON.parse(stdout), { file: PHOTO, ...map, labels });
  }
});

Deno.test("attention --out writes the overlay, on the photo or on what the model sees", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/map.png`;
  await using model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));
  const photo = await decodeImage(bytes);
  const map = attentionMap(await computeAttentions(model, photo));
  const { code, stdout } = await run(attention, [PHOTO, "--out", out]);
  assertEquals(code, 0);
  assertEquals(stdout.split("\n")[0], PHOTO);
  assertStringIncludes(stdout, "  ship ");
  assertEquals(await decodeImage(Deno.readFileSync(out)), overlayAttention(photo, map));

  await run(attention, [PHOTO, "--out", out, "--size", "model"]);
  const seen = await decodeImage(Deno.readFileSync(out));
  assertEquals([seen.width, seen.height], [32, 32]);
  assertEquals(seen, overlayAttention(model.processor.resizeAndCrop(photo), map));

  await run(attention, [PHOTO, "--out", out, "--size", "model", "--resampling", "nearest"]);
  assertNotEquals(await decodeImage(Deno.readFileSync(out)), seen);
});

Deno.test("attention reads standard input, and runs on every engine", async () => {
  const weights: number[][] = [];
  for (const backend of ["simd", "wasm"]) {
    const args = ["-", "--json", "--backend", backend];
    const { code, stdout } = await run(attention, args, { stdin: bytes });
    assertEquals(code, 0);
    const answer = JSON.parse(stdout);
    assertEquals([answer.file, answer.labels[0].label], ["-", "ship"]);
    weights.push(answer.weights);
  }
  const [own, onnx] = weights as [number[], number[]];
  // int8: activations are rounded at other places.
  assert(own.every((weight, i) => Math.abs(weight - onnx[i]!) < 0.02));
});

Deno.test("attention fails with one line", async () => {
  using folder = new TempFolder();
  const out = ["--out", `${folder.path}/map.png`];
  const fails = async (args: string[], expected: number, message: string) => {
    const { code, stdout, stderr } = await run(attention, args);
    assertEquals([code, stdout], [expected, ""], stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
    assertStringIncludes(stderr, message);
  };
  await fails([], 2, "expected one photo, got 0");
  await fails([PHOTO, PHOTO, ...out], 2, "expected one photo, got 2");
  await fails([PHOTO], 2, "--out is missing");
  await fails([PHOTO, "--out", PHOTO], 2, "--out is the photo itself");
  await fails(
    [PHOTO, ...out, "--head", "99"],
    2,
    "--head is 99, not an integer from 0 to 2, or mean",
  );
  await fails([PHOTO, ...out, "--head", "0.5"], 2, "--head is 0.5");
  await fails([PHOTO, ...out, "--layer", "6"], 2, "--layer is 6, not an integer from -6 to 5");
  await fails([PHOTO, ...out, "--rollout", "--head", "0"], 2, "--head does not go with --rollout");
  await fails([PHOTO, ...out, "--threshold", "0"], 2, "--threshold is 0, not a number above 0");
  await fails([PHOTO, ...out, "--threshold", "1.5"], 2, "--threshold is 1.5");
  await fails([PHOTO, ...out, "--size", "large"], 2, "--size is large");
  await fails([PHOTO, ...out, "--resampling", "cubic"], 2, "--resampling is cubic");
  await fails([PHOTO, ...out, "--seed", "1"], 2, "--seed requires --keep-patches");
  await fails(["nowhere.jpg", ...out], 1, "nowhere.jpg: no such file");
  await fails(["deno.json", ...out], 1, "deno.json: ");
  await fails([PHOTO, "--out", `${folder.path}/none/map.png`], 1, "none/map.png");
  assertEquals([...Deno.readDirSync(folder.path)], []);
  const { code, stdout } = await run(attention, ["nowhere.jpg", "--json"]);
  assertEquals([code, JSON.parse(stdout)], [1, { file: "nowhere.jpg", error: "no such file" }]);
});
