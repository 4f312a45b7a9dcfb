import { ortOfBytes } from "../../src/runtime/onnxruntime/ort_of_bytes.ts";
import { assert, assertEquals } from "@std/assert";
import { loadModel } from "../../src/model/load_model.ts";
import type { ViTMSNModel } from "../../src/model/vit_msn_model.ts";
import { onnxruntimeWasm } from "../../src/runtime/onnxruntime/wasm.ts";
import { simdRuntime } from "../../src/runtime/simd/runtime.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { patchGrid } from "../../src/vit_msn/config.ts";
import type { ForwardInputs } from "../../src/vit_msn/forward_inputs.ts";
import { OUTPUT_NAMES } from "../../src/vit_msn/graph.ts";
import { maxDifference } from "../golden/golden.ts";
import { CASES, cosine, goldenCase, goldenModel, outputsOfCase } from "../golden/model.ts";
import { bools, modelFile, randomTensor, shuffled } from "./odd_models.ts";

/** Against PyTorch's float32. */
const TOLERANCE = 1e-4;
const ATTENTION_TOLERANCE = 1e-5;
/** Against onnxruntime-web's float32, of numbers up to 1; beyond, of a number's own size. */
const ODD_TOLERANCE = 2e-5;

const BUILDS = ["relaxed", "plain"] as const;
const VARIANTS = [
  { build: "relaxed" },
  { build: "plain" },
  { build: "relaxed", threads: 2 },
] as const;

function floats(tensor: Tensor | undefined): Float32Array {
  return tensor!.data as Float32Array;
}

/** The largest difference, relative where numbers are above 1. NaN stays NaN. */
function relativeDifference(a: Float32Array, b: Float32Array): number {
  assertEquals(a.length, b.length);
  return a.reduce(
    (max, x, i) => Math.max(max, Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!))),
    0,
  );
}

for (const variant of VARIANTS) {
  const runtime = simdRuntime(variant);
  const how = Object.entries(variant).flat().join(" ");

  for (const name of CASES) {
    Deno.test(`The SIMD runtime gives PyTorch's outputs: ${name}, ${how}`, async () => {
      await using model = await loadModel(await goldenModel(name, "f32"), { runtime });
      const { actual, expected } = await outputsOfCase(model, name);
      assertEquals([...actual.keys()].toSorted(), [...expected.keys()].toSorted());
      for (const [output, tensor] of actual) {
        assertEquals(tensor.shape, expected.get(output)!.shape, output);
        const difference = maxDifference(floats(tensor), floats(expected.get(output)));
        console.log(`${output}: largest difference ${difference.toExponential(1)}`);
        assert(difference <= (output.startsWith("attentions") ? ATTENTION_TOLERANCE : TOLERANCE));
      }
    });
  }
}

for (const build of BUILDS) {
  for (const dtype of ["f16", "int8"] as const) {
    Deno.test(`The SIMD runtime comes close to onnxruntime-web: ${dtype}, ${build}`, async () => {
      const file = await goldenModel("tiny", dtype);
      await using simd = await loadModel(file, { runtime: simdRuntime({ build }) });
      await using reference = await loadModel(file, { runtime: onnxruntimeWasm(ortOfBytes) });
      const { inputs } = goldenCase("tiny");
      const actual = await simd.forward(inputs, { outputs: OUTPUT_NAMES });
      for (const [output, tensor] of await reference.forward(inputs, { outputs: OUTPUT_NAMES })) {
        const [a, b] = [floats(actual.get(output)), floats(tensor)];
        const [difference, similarity] = [maxDifference(a, b), cosine(a, b)];
        console.log(`${output}: ${difference.toExponential(1)}, cosine ${similarity.toFixed(7)}`);
        // Integers round: a last bit of a token may become a step of 8 bits. Only the kernels compute
        // attention in 8 bits, too.
        const least = output === "attentions" ? 0.9995 : 0.9999;
        assert(dtype === "f16" ? difference <= TOLERANCE : similarity > least);
      }
    });
  }
}

const WIDTHS = [[12, 1], [20, 4], [37, 1], [24, 2], [74, 2], [12, 12], [21, 3]] as const;
const ACTIVATIONS = ["gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu"];

/** Sizes that fill no vector, panel or tile. */
function oddSettings(i: number) {
  const [hidden_size, num_attention_heads] = WIDTHS[i % WIDTHS.length]!;
  return {
    hidden_size,
    num_attention_heads,
    num_hidden_layers: 1 + i % 3,
    hidden_act: ACTIVATIONS[i % ACTIVATIONS.length]!,
    intermediate_size: [7, 33, 40, 1][i % 4]!,
    image_size: i % 2 === 0 ? [13, 20] : [21, 11],
    patch_size: i % 2 === 0 ? [4, 6] : [2, 3],
    num_channels: 1 + (i + 1) % 3,
    num_labels: [1, 9, 8][i % 3]!,
    layer_norm_eps: i % 2 === 0 ? 1e-6 : 1e-3,
    qkv_bias: i % 5 !== 0,
  };
}

/** Inputs of every kind for a model. */
function oddInputs({ config }: ViTMSNModel): Record<string, ForwardInputs> {
  const { imageSize: [height, width], patchSize, numChannels } = config;
  const [rows, columns] = patchGrid(config);
  const patches = rows * columns;
  const pixel_values = randomTensor(1, 3, numChannels, height, width);
  const [taller, narrower] = [(rows + 2) * patchSize[0] + 1, (columns - 1) * patchSize[1]];
  const others = (rows + 2) * (columns - 1);
  return {
    plain: { pixel_values },
    kept: { pixel_values, kept_patches: shuffled(2, { images: 3, patches, kept: 7 }) },
    "one kept": { pixel_values, kept_patches: shuffled(3, { images: 3, patches, kept: 1 }) },
    "none kept": { pixel_values, kept_patches: shuffled(4, { images: 3, patches, kept: 0 }) },
    masked: { pixel_values, bool_masked_pos: bools(5, 3, patches) },
    "another size": { pixel_values: randomTensor(6, 1, numChannels, taller, narrower) },
    everything: {
      pixel_values: randomTensor(7, 2, numChannels, taller, narrower),
      bool_masked_pos: bools(8, 2, others),
      kept_patches: shuffled(9, { images: 2, patches: others, kept: others - 1 }),
    },
  };
}

for (let i = 0; i < 7; i++) {
  const settings = oddSettings(i);
  const { hidden_size, num_attention_heads, hidden_act } = settings;
  // f16 has the same numbers in both engines.
  const dtype = i % 4 === 3 ? "f16" : "f32";
  const what = `${hidden_size} / ${num_attention_heads}, ${hidden_act}, ${dtype}`;
  Deno.test(`The SIMD runtime gives onnxruntime-web's outputs for odd sizes: ${what}`, async () => {
    const file = modelFile(settings, dtype);
    await using reference = await loadModel(file, { runtime: onnxruntimeWasm(ortOfBytes) });
    const options = { outputs: OUTPUT_NAMES, interpolatePosEncoding: true };
    let worst = 0;
    const expected = new Map<string, ReadonlyMap<string, Tensor>>();
    for (const [kind, inputs] of Object.entries(oddInputs(reference))) {
      expected.set(kind, await reference.forward(inputs, options));
    }
    // More threads than some of the inputs have tiles.
    const variants = [...BUILDS.map((build) => ({ build })), { build: BUILDS[i % 2]!, threads: 3 }];
    for (const variant of variants) {
      await using simd = await loadModel(file, { runtime: simdRuntime(variant) });
      for (const [kind, inputs] of Object.entries(oddInputs(simd))) {
        const actual = await simd.forward(inputs, options);
        for (const [output, tensor] of expected.get(kind)!) {
          assertEquals(actual.get(output)!.shape, tensor.shape);
          const difference = relativeDifference(floats(actual.get(output)), floats(tensor));
          assert(
            difference <= ODD_TOLERANCE,
            `${Object.values(variant)} ${kind} ${output}: ${difference}`,
          );
          worst = Math.max(worst, difference);
        }
        // Alone, logits need one token of the last block only.
        const { logits } = Object.fromEntries(
          await simd.forward(inputs, { ...options, outputs: ["logits"] }),
        );
        assertEquals(logits, actual.get("logits"));
      }
    }
    console.log(`largest difference ${worst.toExponential(1)}`);
  });
}

for (const build of BUILDS) {
  Deno.test(`The SIMD runtime multiplies int8 rows of odd lengths: ${build}`, async () => {
    const file = modelFile({ ...oddSettings(2), intermediate_size: 33 }, "int8");
    await using reference = await loadModel(file, { runtime: onnxruntimeWasm(ortOfBytes) });
    await using simd = await loadModel(file, { runtime: simdRuntime({ build }) });
    const { plain } = oddInputs(reference);
    const outputs = ["last_hidden_state"] as const;
    const actual = floats((await simd.forward(plain!, { outputs })).get("last_hidden_state"));
    const expected = floats(
      (await reference.forward(plain!, { outputs })).get("last_hidden_state"),
    );
    const similarity = cosine(actual, expected);
    console.log(`cosine ${similarity.toFixed(7)}`);
    assert(similarity > 0.9999);
  });
}

Deno.test("The SIMD runtime gives the same bits with each dot product", async () => {
  const file = await goldenModel("tiny", "int8");
  const { pixel_values } = goldenCase("tiny").inputs;
  const results = [];
  for (const dotProduct of ["auto", "single", "pairwise"] as const) {
    for (const threads of [1, 2]) {
      await using model = await loadModel(file, { runtime: simdRuntime({ dotProduct, threads }) });
      results.push(await model.forward({ pixel_values }, { outputs: OUTPUT_NAMES }));
    }
  }
  for (const result of results) assertEquals(result, results[0]);
});

for (const source of ["tiny", "tiny_multi_label", "tiny_greyscale_no_qkv_bias"]) {
  Deno.test(`int8 models give the same bits in both builds: ${source}`, async () => {
    const file = await goldenModel(source, "int8");
    const { pixel_values } = goldenCase(source).inputs;
    const results = [];
    for (const build of BUILDS) {
      await using model = await loadModel(file, { runtime: simdRuntime({ build }) });
      results.push(await model.forward({ pixel_values }, { outputs: OUTPUT_NAMES }));
    }
    for (const result of results) assertEquals(result, results[0]);
  });
}

Deno.test("The SIMD runtime takes images of 3136 patches", async () => {
  const file = modelFile({
    hidden_size: 8,
    num_attention_heads: 2,
    num_hidden_layers: 1,
    intermediate_size: 8,
    image_size: 112,
    patch_size: 2,
  });
  const inputs = { pixel_values: randomTensor(1, 1, 3, 112, 112) };
  await using reference = await loadModel(file, { runtime: onnxruntimeWasm(ortOfBytes) });
  const expected = floats((await reference.forward(inputs)).get("last_hidden_state"));
  for (const build of BUILDS) {
    await using simd = await loadModel(file, { runtime: simdRuntime({ build, threads: 2 }) });
    const actual = floats((await simd.forward(inputs)).get("last_hidden_state"));
    assertEquals(actual.length, 3137 * 8);
    const difference = relativeDifference(actual, expected);
    console.log(`largest difference ${difference.toExponential(1)}`);
    assert(difference <= ODD_TOLERANCE);
  }
});

for (const build of BUILDS) {
  for (const dtype of ["f32", "int8"] as const) {
    Deno.test(`The SIMD runtime gives the same bits in 1, 2 and 3 threads: ${build}, ${dtype}`, async () => {
      const file = await goldenModel("tiny", dtype);
      const { pixel_values } = goldenCase("tiny").inputs;
      const results = [];
      for (const threads of [1, 2, 3]) {
        await using model = await loadModel(file, { runtime: simdRuntime({ build, threads }) });
        results.push(await model.forward({ pixel_values }));
      }
      assertEquals(results[1], results[0]);
      assertEquals(results[2], results[0]);
    });
  }

  Deno.test(`The SIMD runtime gives the same bits for an image alone as in a batch: ${build}`, async () => {
    await using model = await loadModel(await goldenModel("tiny", "f32"), {
      runtime: simdRuntime({ build }),
    });
    const { pixel_values } = goldenCase("tiny").inputs;
    const batch = floats((await model.forward({ pixel_values })).get("last_hidden_state"));
    const size = pixel_values.data.length / 3;
    for (let b = 0; b < 3; b++) {
      const data = floats(pixel_values).subarray(b * size, (b + 1) * size);
      const one = { dtype: "float32", shape: [1, ...pixel_values.shape.slice(1)], data } as const;
      const alone = floats((await model.forward({ pixel_values: one })).get("last_hidden_state"));
      assertEquals(alone, batch.subarray(b * alone.length, (b + 1) * alone.length));
    }
  });
}
