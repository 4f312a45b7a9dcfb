import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromFloat16Bits, toFloat16, toFloat16Bits, toFloat32 } from "../../src/tensor/float16.ts";

Deno.test("fromFloat16Bits() and toFloat16Bits() agree with Float16Array on all 65,536 halves", () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const expected = new Float16Array(halves.buffer);
  for (let half = 0; half < 65536; half++) {
    const value = fromFloat16Bits(half);
    assert(Object.is(value, expected[half]), `${half}: ${value}`);
    if (!Number.isNaN(value)) assertEquals(toFloat16Bits(value), half);
  }
  assert(Number.isNaN(fromFloat16Bits(toFloat16Bits(NaN))));
});

Deno.test("toFloat16Bits() rounds as Float16Array does, ties to even", () => {
  const one = new Float16Array(1);
  const bits = new Uint16Array(one.buffer);
  const check = (value: number) => {
    one[0] = Math.fround(value);
    assertEquals(toFloat16Bits(value), bits[0], `${value}`);
  };
  for (let half = 0; half < 0x7c00; half++) {
    const [low, high] = [fromFloat16Bits(half), fromFloat16Bits(half + 1)];
    const middle = high === Infinity ? 65520 : (low + high) / 2; // exact in float32
    const step = middle * 2 ** -20;
    for (const value of [middle, middle - step, middle + step]) {
      check(value);
      check(-value);
    }
  }
  for (const value of [65504, 65519.9, 65536, 1e30, 2 ** -25, 2 ** -26, 1e-40]) check(value);
});

Deno.test("toFloat32() widens bfloat16 and float16 and rounds float64", () => {
  const bfloat16 = { dtype: "bfloat16", shape: [2], data: Uint16Array.of(0x3fc0, 0xc000) } as const;
  assertEquals(toFloat32(bfloat16).data, Float32Array.of(1.5, -2));
  const float16 = toFloat16({ dtype: "float32", shape: [2], data: Float32Array.of(0.1, -7) });
  assertEquals(toFloat32(float16).data, Float32Array.of(0.0999755859375, -7));
  const float64 = { dtype: "float64", shape: [1], data: Float64Array.of(0.1) } as const;
  assertEquals(toFloat32(float64).data, Float32Array.of(0.1));
  const integers = { dtype: "int32", shape: [1], data: Int32Array.of(1) } as const;
  assertThrows(() => toFloat32(integers), TypeError, "int32");
});
