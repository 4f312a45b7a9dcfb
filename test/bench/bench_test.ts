import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { goldenPath } from "../golden/golden.ts";
import { InputError } from "./support/arguments.ts";
import { parseCpuInfo } from "./support/host/processor.ts";
import { modelOfFile } from "./support/model_of_file.ts";
import { toJson as toPretrainJson, toTable as toPretrainTable } from "./support/pretrain_table.ts";
import { timePretraining } from "./support/time_pretraining.ts";
import { timeTraining } from "./support/time_training.ts";
import { TRAIN_SHAPES, trainingFlops } from "./support/train_shape.ts";
import { toJson, toTable } from "./support/train_table.ts";

Deno.test("the processor's name and VNNI come from /proc/cpuinfo", () => {
  const text = (flags: string) =>
    `processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nflags\t\t: ${flags}\n`;
  const processor = "AMD EPYC, family 25, model 17";
  assertEquals(parseCpuInfo(text("fpu avx2")), { processor, vnni: "none" });
  assertEquals(parseCpuInfo(text("fpu avx512_vnni")), { processor, vnni: "avx512_vnni" });
  assertEquals(parseCpuInfo(text("avx_vnni avx512_vnni")).vnni, "avx_vnni, avx512_vnni");
  assertEquals(parseCpuInfo(""), { processor: "unknown", vnni: "unknown" });
});

Deno.test("a model file says who can run it, and in which precision", async () => {
  const embedded = await modelOfFile("functions/_shared/model.onnx");
  assertEquals([embedded.isOwn, embedded.dtypes], [true, ["int8"]]);
  assertEquals(embedded.pixelsOf(2).shape, [2, 3, ...embedded.config.imageSize]);
});

Deno.test("a file that cannot be measured is an error that names it", async () => {
  const wrong = goldenPath("tiny/model.safetensors");
  await assertRejects(() => modelOfFile(wrong), InputError, wrong);
  await assertRejects(() => modelOfFile("missing.onnx"), InputError, "missing.onnx");
  const alone = goldenPath("exports/model.onnx");
  await assertRejects(() => modelOfFile(alone), InputError, "preprocessor_config.json");
});

Deno.test("steps of training are timed for all of a model, parts of it and adapters", async () => {
  const shape = {
    hidden_size: 8,
    num_hidden_layers: 3,
    num_attention_heads: 2,
    intermediate_size: 4,
    image_size: 8,
    patch_size: 4,
    classes: 3,
    batch: 2,
  };
  const rows = await timeTraining("tiny", shape, 1, false);
  const objects = rows.map(toJson);
  assertEquals(
    new Set(objects.map(({ tune, engine, threads }) => `${tune} ${engine} ${threads}`)).size,
    3 * 2 * 2,
  );
  for (const row of objects) {
    assertEquals([row.model, row.batch, row.speed_by_pytorch], ["tiny", 2, null]);
    for (const key of ["median_ms", "nominal_gflops", "kernel_share", "memory_mb"] as const) {
      assert(row[key]! > 0, key);
    }
    assertEquals(row.images_per_s, 2000 / row.median_ms);
  }
  const [names, , ...lines] = toTable(rows).split("\n");
  assertStringIncludes(names!, "| model | tune | engine | threads |");
  assertEquals(lines.length, rows.length);
  for (const line of lines) assertEquals(line.split("|").length, names!.split("|").length);
});

Deno.test("the FLOPs of a step are those of what is computed", () => {
  const { embedded } = TRAIN_SHAPES;
  const [tokens, size] = [65, 192];
  const block = 2 * tokens * (12 * size * size + 2 * tokens * size);
  const patches = 2 * (tokens - 1) * 3 * 4 * 4 * size;
  assertEquals(trainingFlops(embedded, { kind: "all" }), 3 * (6 * block + patches));
  assertEquals(trainingFlops(embedded, { kind: "last", blocks: 2 }), 3 * 2 * block);
  const lora = { kind: "lora", rank: 8, alpha: 16 } as const;
  assertEquals(trainingFlops(embedded, lora), 2 * (6 * block + patches));
});

Deno.test("steps of pre-training are timed beside the tokens of an image", async () => {
  const shape = {
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 4,
    image_size: 32,
    patch_size: 4,
    classes: 3,
    batch: 2,
  };
  const rows = await timePretraining("tiny", shape, 1, 1);
  const objects = rows.map(toPretrainJson);
  // The target's 65; three times the anchor's 65, 49, 33 and 20, and 26 of each focal view.
  const tokens = [65, 49, 33, 20].map((anchor) => 65 + 3 * anchor);
  assertEquals(objects.map(({ tokens_per_image }) => tokens_per_image), [
    ...tokens.map((count) => count + 3 * 2 * 26),
    ...tokens,
  ]);
  assertAlmostEquals(objects[0]!.of_prediction, 1, 1e-9);
  for (const row of objects) {
    assertEquals(row.images_per_s, 2000 / row.median_ms);
    const predicted = objects[0]!.images_per_s * objects[0]!.tokens_per_image /
      row.tokens_per_image;
    assertAlmostEquals(row.of_prediction, row.images_per_s / predicted, 1e-9);
    assert(row.memory_mb > 0);
  }
  const [names, , ...lines] = toPretrainTable(rows).split("\n");
  assertStringIncludes(
    names!,
    "| model | threads | batch | focal views | patch_drop | tokens an image |",
  );
  assertEquals(lines.length, rows.length);
});
