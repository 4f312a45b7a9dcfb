/**
 * Draws the example pictures and writes them next to this file, each named by what it shows. Names
 * as arguments draw only those.
 *
 *     deno task images
 */
import encode, { init } from "@jsquash/jpeg/encode.js";
import encoderWasm from "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm" with { type: "bytes" };
import { airplane } from "./draw/airplane.ts";
import { automobile } from "./draw/automobile.ts";
import { bird } from "./draw/bird.ts";
import { photograph, type Scene } from "./draw/scene/camera.ts";
import { deer } from "./draw/deer.ts";
import { dog } from "./draw/dog.ts";
import { frog } from "./draw/frog.ts";
import { horse } from "./draw/horse.ts";
import { ship } from "./draw/ship.ts";
import { truck } from "./draw/truck.ts";

const SCENES: Readonly<Record<string, Scene>> = {
  airplane,
  automobile,
  bird,
  deer,
  dog,
  frog,
  horse,
  ship,
  truck,
};

const QUALITY = 85;

/** The JPEG file of a scene's picture; the encoder has to be initialized. */
async function jpegOf(scene: Scene): Promise<Uint8Array> {
  const { width, height } = scene;
  const picture = { data: photograph(scene), width, height, colorSpace: "srgb" } as ImageData;
  return new Uint8Array(await encode(picture, { quality: QUALITY }));
}

if (import.meta.main) {
  await init(new WebAssembly.Module(encoderWasm));
  for (const [name, scene] of Object.entries(SCENES)) {
    if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
    const file = await jpegOf(scene);
    Deno.writeFileSync(new URL(`${name}.jpg`, import.meta.url), file);
    console.log(`${name}.jpg: ${file.length} bytes`);
  }
}
