import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { quantize, scaleName } from "../../src/vit_msn/quantize.ts";

const DENSE = "encoder.layer.0.output.dense.weight";

function matrix(...rows: number[][]): Tensor {
  return {
    dtype: "float32",
    shape: [rows.length, rows[0]!.length],
    data: Float32Array.from(rows.flat()),
  };
}

Deno.test("quantize() quantises each row of a block's matrix to 7 bits", () => {
  const rows = matrix([0.6, -1, 0.25], [0, 0, 0], [6.3, 0.06, -0.04]);
  const stored = quantize(new Map([[DENSE, rows]]), "int8");
  assertEquals(stored.get(DENSE)?.data, Int8Array.of(38, -63, 16, 0, 0, 0, 63, 1, 0));
  const scales = stored.get(scaleName(DENSE))!.data as Float32Array;
  assertEquals(scales, Float32Array.of(1 / 63, 1, 6.3 / 63));
});

Deno.test("quantize() leaves patches, classifier and vectors in float32 for int8", () => {
  const names = [
    "embeddings.patch_embeddings.projection.weight",
    "classifier.weight",
    "encoder.layer.0.output.dense.bias",
    "encoder.layer.0.layernorm_after.weight",
  ];
  const stored = quantize(new Map(names.map((name) => [name, matrix([1, 2])])), "int8");
  assertEquals([...stored.keys()], names);
  assert([...stored.values()].every(({ dtype }) => dtype === "float32"));
});

Deno.test("quantize() refuses to quantise what is not finite", () => {
  const broken = new Map([[DENSE, matrix([1, NaN])]]);
  assertThrows(() => quantize(broken, "int8"), RangeError, `Cannot store ${DENSE} as int8`);
});

Deno.test("quantize() names the weight that f16 cannot hold", () => {
  const large = new Map([[DENSE, matrix([1, 1e5])]]);
  assertThrows(() => quantize(large, "f16"), RangeError, `Cannot store ${DENSE} as f16`);
});
