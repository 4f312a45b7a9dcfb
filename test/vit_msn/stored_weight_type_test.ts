import { assertEquals } from "@std/assert";
import { readModel } from "../../src/onnx/read_model.ts";
import { storedWeightType } from "../../src/vit_msn/stored_weight_type.ts";
import { goldenModel } from "../golden/model.ts";

for (const dtype of ["f32", "f16", "int8"] as const) {
  Deno.test(`a file's weights have the type that it was converted to: ${dtype}`, async () => {
    assertEquals(storedWeightType(readModel(await goldenModel("tiny", dtype))), dtype);
  });
}

for (
  const [name, type] of [
    ["model", "f32"],
    ["model_fp16", "f16"],
    ["model_q4", "q4"],
    ["model_qdq", "int8"],
    ["model_quantized", "int8"],
  ] as const
) {
  Deno.test(`a file's weights have the type that another tool wrote: ${name}`, () => {
    const bytes = Deno.readFileSync(new URL(`../golden/exports/${name}.onnx`, import.meta.url));
    assertEquals(storedWeightType(readModel(bytes)), type);
  });
}
