import { assertEquals, assertMatch } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { writeModel } from "../../src/onnx/write_model.ts";
import { readModel } from "../../src/onnx/read_model.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import { writeModelFile } from "../../src/vit_msn/model_file.ts";
import { randomWeights, TINY_CONFIG } from "./random_weights.ts";

// onnxruntime-web takes hold of the console when its WebAssembly starts. That is why this test has
// a file, and with it a realm, of its own.
const messages: string[] = [];
const record = (...args: unknown[]) => void messages.push(args.join(" "));
Object.assign(console, { log: record, info: record, warn: record, error: record });

async function messagesOnLoad(file: Uint8Array): Promise<string[]> {
  const ort = await import("onnxruntime-web/wasm");
  const { default: wasm } = await import("onnxruntime-web/ort-wasm-simd-threaded.wasm", {
    with: { type: "bytes" },
  });
  ort.env.wasm.wasmBinary = wasm;
  ort.env.wasm.numThreads = 1;
  messages.length = 0;
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 2 });
  await session.release();
  return [...messages];
}

for (const dtype of ["f32", "f16"] as const) {
  Deno.test(`onnxruntime-web loads the file without a warning: ${dtype}`, async () => {
    const file = concat(
      writeModelFile(TINY_CONFIG, {}, randomWeights(parseConfig(TINY_CONFIG)), dtype),
    );
    assertEquals(await messagesOnLoad(file), []);
  });
}

Deno.test("onnxruntime-web does warn of a weight that no node uses", async () => {
  const model = readModel(
    concat(writeModelFile(TINY_CONFIG, {}, randomWeights(parseConfig(TINY_CONFIG)), "f32")),
  );
  const unused = { dtype: "float32", shape: [1], data: new Float32Array(1) } as const;
  const initializers = new Map(model.graph.initializers).set("unused_weight", unused);
  const file = concat(writeModel({ ...model, graph: { ...model.graph, initializers } }));
  assertMatch((await messagesOnLoad(file)).join(), /unused_weight/);
});
