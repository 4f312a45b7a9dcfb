// Whatever takes bytes takes a Buffer of Node.js, which is a view of a pool: it neither writes to the pool
// nor detaches it, and gives what it gives of a plain Uint8Array.

import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { Buffer } from "node:buffer";
import { readPytorchState } from "../src/checkpoint/pytorch.ts";
import { readSafetensors, type Tensors } from "../src/checkpoint/safetensors.ts";
import { fitHead } from "../src/heads/fit/fit_head.ts";
import { decodeImage } from "../src/image/decode_image.ts";
import { ImageDecoder } from "../src/image/image_decoder.ts";
import { readImageHeader } from "../src/image/read_image_header.ts";
import { loadModel } from "../src/model/load_model.ts";
import { createPackedModel } from "../src/model/packed_model.ts";
import { packModelFile } from "../src/runtime/simd/pack_model_file.ts";
import { readPackedFile } from "../src/runtime/simd/packed_file.ts";
import { simdRuntime } from "../src/runtime/simd/runtime.ts";
import { tensorBytes } from "../src/tensor/tensor.ts";
import { readHeadFile, writeHeadFile } from "../src/vit_msn/head/head_file.ts";
import { readModelFile, writeModelWithHead } from "../src/vit_msn/model_file.ts";
import { goldenPath, readGolden } from "./golden/golden.ts";
import { goldenCase, goldenModel } from "./golden/model.ts";
import { clusters } from "./heads/fit/samples.ts";

/** Beside the bytes in the pool. */
const OTHERS = 0xa5;

/** Bytes as a Buffer at each offset to a multiple of 8, and what checks that its pool is as it was. */
function* buffers(bytes: Uint8Array): Generator<[Buffer, assertUntouched: () => void]> {
  for (const offset of [1, 8, 13]) {
    const pool = Buffer.alloc(offset + bytes.length + 5, OTHERS);
    pool.set(bytes, offset);
    const before = Uint8Array.from(pool);
    yield [pool.subarray(offset, offset + bytes.length), () => {
      assertEquals(pool.buffer.detached, false);
      assert(before.every((byte, i) => byte === pool[i]), "the caller's bytes have changed");
    }];
  }
}

/** Checks that a function gives the same of Buffers. */
async function assertTakesBuffers<T>(
  bytes: Uint8Array,
  work: (bytes: Uint8Array) => T | Promise<T>,
): Promise<void> {
  const expected = await work(Uint8Array.from(bytes));
  for (const [buffer, assertUntouched] of buffers(bytes)) {
    assertEquals(await work(buffer), expected);
    assertUntouched();
  }
}

const images = [...readGolden("decoded.safetensors")]
  .filter(([name]) => name.endsWith(".file"))
  .map(([name, { data }]) => [name.slice(0, -".file".length), data as Uint8Array] as const);

Deno.test("decodeImage() and readImageHeader() take Buffers of every kind of file", async () => {
  const names = images.map(([name]) => name);
  for (const name of ["gif_no_palette", "jpeg_adobe_rgb", "jpeg_cmyk_no_adobe", "webp_animated"]) {
    assert(names.includes(name), name);
  }
  for (const [, file] of images) {
    await assertTakesBuffers(file, (bytes) => readImageHeader(bytes));
    await assertTakesBuffers(file, (bytes) => decodeImage(bytes));
  }
  const [, jpeg] = images.find(([name]) => name === "jpeg_420")!;
  await assertTakesBuffers(jpeg, (bytes) => decodeImage(bytes, { decode: "exact" }));
});

for (const workers of [0, 2]) {
  Deno.test(`ImageDecoder takes Buffers, with ${workers} workers`, async () => {
    using decoder = new ImageDecoder({ workers, timeout: 60_000 });
    for (const [, file] of images) {
      await assertTakesBuffers(file, (bytes) => decoder.decode(bytes));
      await assertTakesBuffers(file, async (bytes) => {
        const header = await decoder.readHeader(bytes);
        return await decoder.decode(bytes, {}, header);
      });
    }
  });
}

const { pixel_values } = goldenCase("tiny").inputs;

for (const dtype of ["f32", "f16", "int8"] as const) {
  Deno.test(`loadModel() takes Buffers: ${dtype}`, async () => {
    await assertTakesBuffers(await goldenModel("tiny", dtype), async (bytes) => {
      await using model = await loadModel(bytes, { runtime: simdRuntime({ build: "plain" }) });
      return await model.forward({ pixel_values }, { outputs: ["last_hidden_state", "logits"] });
    });
  });
}

Deno.test("readModelFile() and readHeadFile() take Buffers", async () => {
  const backbone = await goldenModel("tiny_backbone", "f32");
  const file = readModelFile(backbone);
  const support = clusters({ ant: 4, bee: 4 }, { size: file.config.hiddenSize });
  const { head } = fitHead(support, { method: "ridge", keepFeatures: true });
  const layerNorm = file.layerNorm!;
  await assertTakesBuffers(
    concat(writeHeadFile({ head: head.parameters, layerNorm })),
    readHeadFile,
  );
  const whole = concat(writeModelWithHead(backbone, head.parameters));
  await assertTakesBuffers(whole, (bytes) => {
    const { head, layerNorm, config, bytes: own } = readModelFile(bytes);
    return { head, layerNorm, config, own };
  });
  await assertTakesBuffers(backbone, (bytes) => concat(writeModelWithHead(bytes, head.parameters)));
});

Deno.test("readPackedFile() takes Buffers", async () => {
  const onnx = await goldenModel("tiny", "f32");
  const packed = concat(packModelFile(readModelFile(onnx), "0123456789abcdef".repeat(4)));
  await assertTakesBuffers(packed, async (bytes) => {
    await using model = await createPackedModel(readPackedFile(bytes), { build: "plain" });
    return await model.forward({ pixel_values });
  });
});

/** The tensors' elements: those that are misaligned are copied when they are first read. */
function elements(tensors: Tensors): unknown[] {
  return [...tensors].map(([name, tensor]) => [name, tensor.data, tensorBytes(tensor)]);
}

Deno.test("readSafetensors() and readPytorchState() take Buffers", async () => {
  const safetensors = await Deno.readFile(goldenPath("tiny/model.safetensors"));
  await assertTakesBuffers(safetensors, (bytes) => elements(readSafetensors(bytes)));
  const pytorch = await Deno.readFile(goldenPath("tiny/pytorch_model.bin"));
  await assertTakesBuffers(pytorch, (bytes) => elements(readPytorchState(bytes).tensors));
});
