import { assertEquals } from "@std/assert";
import { BUILDS, Instance } from "../instance.ts";
import { assertSameBits } from "../numbers.ts";

for (const build of BUILDS) {
  Deno.test(`${build} kernels: widenHalves() is exact for all finite float16`, () => {
    const instance = new Instance(build);
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
    const halves = all.filter((bits) => (bits & 0x7c00) !== 0x7c00);
    assertEquals(halves.length, 63_488);
    const place = instance.put(halves);
    const out = instance.guarded(4 * halves.length);
    instance.kernels.widenHalves(place, halves.length, out);
    const expected = Float32Array.from(new Float16Array(halves.buffer));
    assertSameBits(instance.take(out, halves.length), expected);
  });
}
