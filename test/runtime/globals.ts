import { ortOfBytes } from "../../src/runtime/onnxruntime/ort_of_bytes.ts";
import { assertEquals } from "@std/assert";
import { loadModel } from "../../src/mod.ts";
import { type Backend, runtimeOf } from "../../src/runtime/onnxruntime/mod.ts";
import { goldenCase, goldenModel } from "../golden/model.ts";

/** Runs a model on an engine, and checks that no global name is other than before. */
export async function assertKeepsGlobals(backend: Backend): Promise<void> {
  // Reading its files starts Deno's own modules of Node.js, which add a name.
  const bytes = await goldenModel("tiny", "f32");
  const before = new Map(
    Object.getOwnPropertyNames(globalThis).map((name) => [name, valueOf(name)]),
  );
  const model = await loadModel(bytes, {
    runtime: runtimeOf(backend, { ort: ortOfBytes }),
  });
  const { pixel_values } = goldenCase("tiny").inputs;
  await model.forward({ pixel_values });
  assertEquals(valueOf("Worker"), before.get("Worker"));
  const added = Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name));
  assertEquals(added, []);
  const changed = [...before].filter(([name, value]) => !Object.is(valueOf(name), value));
  assertEquals(changed.map(([name]) => name), []);
  await model[Symbol.asyncDispose]();
}

/** What a global name stands for; not of those that give another object each time. */
function valueOf(name: string): unknown {
  const { value } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
  return value;
}
