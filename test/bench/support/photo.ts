import encode, { init } from "@jsquash/jpeg/encode.js";
import encoderWasm from "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm" with { type: "bytes" };
import { decodeImage, resize } from "../../../src/mod.ts";
import { uniform } from "../../random.ts";

await init(new WebAssembly.Module(encoderWasm));

/**
 * A photo of any size as a JPEG: an example image enlarged, with the grain of a sensor.
 *
 * @param options of mozjpeg; by default the JPEG is progressive, with colour at half the resolution.
 */
export async function photoOf(
  width: number,
  height: number,
  options: Parameters<typeof encode>[1] = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const small = await decodeImage(await Deno.readFile("test/images/ship.jpg"));
  const { data: rgb } = resize(small, width, height, "bicubic");
  const random = uniform(1);
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++) {
    const grain = 8 * random() - 4;
    for (let c = 0; c < 3; c++) data[4 * i + c] = rgb[3 * i + c]! + grain;
  }
  const picture = { data, width, height, colorSpace: "srgb" } as ImageData;
  return new Uint8Array(await encode(picture, { quality: 85, ...options }));
}
