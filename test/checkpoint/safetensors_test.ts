import { assert, assertEquals, assertThrows } from "@std/assert";
import { readSafetensors, writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { goldenPath } from "../golden/golden.ts";
import { uniform } from "../random.ts";

function fileOf(header: unknown, data = new Uint8Array()): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const file = new Uint8Array(8 + json.length + data.length);
  new DataView(file.buffer).setUint32(0, json.length, true);
  file.set(json, 8);
  file.set(data, 8 + json.length);
  return file;
}

Deno.test("writeSafetensors() and readSafetensors() keep names, types, shapes and values", () => {
  const tensors = new Map<string, Tensor>([
    ["scalar", { dtype: "float32", shape: [], data: Float32Array.of(7) }],
    ["bytes", { dtype: "uint8", shape: [3], data: Uint8Array.of(1, 2, 3) }],
    ["ключ", { dtype: "int64", shape: [2], data: BigInt64Array.of(-1n, 5n) }], // misaligned by bytes
    ["half", { dtype: "float16", shape: [1, 2], data: Uint16Array.of(0x3c00, 0) }],
    ["empty", { dtype: "float32", shape: [0, 4], data: new Float32Array() }],
  ]);
  assertEquals(readSafetensors(writeSafetensors(tensors)), tensors);
});

Deno.test("readSafetensors() leaves the metadata out", () => {
  assertEquals(readSafetensors(fileOf({ __metadata__: { format: "pt" } })).size, 0);
});

Deno.test("readSafetensors() refuses damaged files and says what is wrong", () => {
  const data = new Uint8Array(8);
  const entry = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(7), "7 bytes"],
    [fileOf({}).subarray(0, 9), "does not fit"],
    [new Uint8Array(8).fill(255), "more than 10000000"],
    [Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80), "9223372036854776000 bytes, more"], // 2⁶³
    [fileOf(" ".repeat(10_000_001)), "more than 10000000"],
    [fileOf("{"), "not JSON"],
    [fileOf("[]"), "not a JSON object"],
    [fileOf({ x: null }, data), '"x"'],
    [fileOf({ x: { ...entry, dtype: "F4" } }, data), '"F4"'],
    [fileOf({ x: { ...entry, dtype: "constructor" } }, data), '"constructor"'],
    [fileOf({ x: { ...entry, shape: [-2] } }, data), "shape"],
    [fileOf({ x: { ...entry, data_offsets: [0] } }, data), "data_offsets"],
    [fileOf({ x: { ...entry, data_offsets: [0, 4] } }, data), "0 to 4"],
    [fileOf({ x: { ...entry, data_offsets: [4, 12] } }, data), "4 to 12"],
    [fileOf({ x: { ...entry, shape: [2 ** 30, 2 ** 20] } }, data), "0 to 8"],
    [fileOf({ x: { ...entry, shape: [2 ** 30, 2 ** 30] } }, data), "more elements"],
    [
      fileOf({ x: { ...entry, shape: Array(1100).fill(2 ** 52).concat(0) } }, data),
      "more elements",
    ],
    [fileOf({ x: entry, y: entry }, data), "overlaps"],
    [fileOf({ x: entry, y: { ...entry, shape: [1], data_offsets: [4, 8] } }, data), "overlaps"],
    [fileOf({ x: { ...entry, shape: [1], data_offsets: [4, 8] } }, data), "follows a gap"],
    [fileOf({ x: { ...entry, shape: [1], data_offsets: [0, 4] } }, data), "end at 4 of 8"],
    [fileOf({}, data), "end at 0 of 8"],
    [fileOf(`{"x": {"dtype": ${"[".repeat(1e5)}${"]".repeat(1e5)}}}`, data), '"x" has the type an'],
  ];
  for (const [file, what] of cases) {
    assertThrows(() => readSafetensors(file), SyntaxError, what);
  }
});

Deno.test("readSafetensors() refuses a file that is cut off, wherever", () => {
  const file = Deno.readFileSync(goldenPath("tiny/model.f16.safetensors"));
  for (let length = 0; length < file.length; length += 499) {
    assertThrows(() => readSafetensors(file.subarray(0, length)), SyntaxError);
  }
});

Deno.test("readSafetensors() either reads a damaged header or throws a SyntaxError", () => {
  const whole = Deno.readFileSync(goldenPath("tiny/model.f16.safetensors"));
  const headerEnd = 8 + new DataView(whole.buffer).getUint32(0, true);
  const random = uniform(2);
  let refused = 0;
  for (let i = 0; i < 500; i++) {
    const file = whole.slice();
    for (let n = 1 + Math.floor(4 * random()); n > 0; n--) {
      // Digits and punctuation get further than any byte.
      const byte = random() < 0.5 ? 256 * random() : 0x22 + 0x18 * random();
      file[Math.floor(headerEnd * random())] = byte;
    }
    try {
      readSafetensors(file);
    } catch (error) {
      assert(error instanceof SyntaxError, `${error}`);
      refused++;
    }
  }
  console.log(`${refused} of 500 refused`);
  assert(refused > 100);
});
