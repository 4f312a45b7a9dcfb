import { assertEquals } from "@std/assert";
import { Tile } from "../../../src/runtime/simd/structs.ts";
import { DType } from "../../../src/runtime/simd/structs.ts";
import { uniform } from "../../random.ts";
import { BUILDS, bytesOf, GUARD_BYTE, Instance } from "../instance.ts";
import { DTYPES, randomLayer, stored } from "../layer.ts";
import { padded } from "../numbers.ts";

for (const build of BUILDS) {
  Deno.test(`${build} kernels: pack() gives each type's panels, and nothing further`, () => {
    const instance = new Instance(build);
    const random = uniform(9);
    for (const [dtype, name] of DTYPES) {
      for (let inputs = 1; inputs <= 19; inputs++) {
        const layer = randomLayer(random, dtype, inputs, Tile.PANEL);
        const data = stored(layer);
        const size = data.BYTES_PER_ELEMENT;
        const depth = dtype === DType.I8 ? 4 : 1; // inputs that lie together
        const bytes = padded(inputs, depth) * Tile.PANEL * size;
        const panel = instance.guarded(bytes);
        // Rows of 16 or 8 bits need not be aligned to 32.
        const rows = instance.poisoned(data.byteLength + size) + size;
        instance.arena.bytes(rows, data.byteLength).set(bytesOf(data));
        instance.kernels.pack(dtype, rows, inputs, panel);
        const actual = instance.arena.bytes(panel, bytes + 16).slice();
        const expected = actual.slice(); // what fills up a group may be anything
        expected.fill(GUARD_BYTE, bytes);
        for (let column = 0; column < Tile.PANEL; column++) {
          for (let i = 0; i < inputs; i++) {
            const number = bytesOf(data.subarray(column * inputs + i, column * inputs + i + 1));
            const at = (Math.floor(i / depth) * Tile.PANEL + column) * depth + i % depth;
            if (dtype === DType.I8) expected[at] = number[0]! + 64;
            else expected.set(number, at * size);
          }
        }
        assertEquals(actual, expected, `${name}, ${inputs}`);
      }
    }
  });
}
