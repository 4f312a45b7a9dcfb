import { assertEquals, assertThrows } from "@std/assert";
import { toFloat16, toFloat32 } from "../../src/tensor/float16.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

function float32(...values: number[]): Tensor<"float32"> {
  return { dtype: "float32", shape: [values.length], data: Float32Array.from(values) };
}

Deno.test("toFloat16() rounds to the nearest, ties to even", () => {
  const { data } = toFloat16(float32(0.1, -7, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 65_519));
  assertEquals([...data], [0x2e66, 0xc700, 0x3c00, 0x3c02, 0, 0x7bff]);
});

Deno.test("toFloat16() refuses what is too large, and keeps what is not finite", () => {
  assertThrows(() => toFloat16(float32(1, -65_520)), RangeError, "-65520");
  assertEquals([...toFloat16(float32(Infinity, NaN)).data], [0x7c00, 0x7e00]);
});

Deno.test("toFloat32() widens bfloat16 and float16, also within a larger buffer, and rounds float64", () => {
  const bfloat16 = { dtype: "bfloat16", shape: [2], data: Uint16Array.of(0x3fc0, 0xc000) } as const;
  assertEquals(toFloat32(bfloat16).data, Float32Array.of(1.5, -2));
  const data = Uint16Array.of(0, 0x2e66, 0xc700, 0).subarray(1, 3);
  const float16 = { dtype: "float16", shape: [2], data } as const;
  assertEquals(toFloat32(float16).data, Float32Array.of(0.0999755859375, -7));
  const float64 = { dtype: "float64", shape: [1], data: Float64Array.of(0.1) } as const;
  assertEquals(toFloat32(float64).data, Float32Array.of(0.1));
  const integers = { dtype: "int32", shape: [1], data: Int32Array.of(1) } as const;
  assertThrows(() => toFloat32(integers), TypeError, "int32");
});

/** Every float16 but NaNs with other bits than the usual. */
const ALL = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i)
  .filter((half) => (half & 0x7fff) <= 0x7c00 || half === 0x7e00);

Deno.test("toFloat32() widens each float16 as Float16Array does, and toFloat16() takes it back", () => {
  const numbers = toFloat32({ dtype: "float16", shape: [ALL.length], data: ALL });
  assertEquals(numbers.data, Float32Array.from(new Float16Array(ALL.buffer)));
  assertEquals(toFloat16(numbers).data, ALL);
});

Deno.test("toFloat16() rounds as Float16Array does, near every float16 and half way to the next", () => {
  const words = new Uint32Array(Float32Array.from(new Float16Array(ALL.buffer)).buffer);
  for (const more of [1, 0xfff, 0x1000, 0x1001, 0x1fff]) {
    const near = new Float32Array(words.map((word) => word + more).buffer)
      .filter((x) => Math.abs(x) < 65_520);
    assertEquals(
      toFloat16({ dtype: "float32", shape: [near.length], data: near }).data,
      new Uint16Array(Float16Array.from(near).buffer),
    );
  }
});
