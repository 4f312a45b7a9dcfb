import { readGolden } from "../../golden/golden.ts";
import { FILES } from "../programs/job.ts";

/** Small files of other formats, by the names that the job uses. */
const SCENES: Readonly<Record<string, string>> = {
  "scene.png": "png_rgb.file",
  "scene.webp": "webp_lossy.file",
  "scene.gif": "gif.file",
};

/** Writes the files that the job reads into a folder. */
export async function writeImages(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  const golden = readGolden("decoded.safetensors");
  for (const name of FILES) {
    const scene = SCENES[name];
    if (scene) await Deno.writeFile(`${folder}/${name}`, golden.get(scene)!.data as Uint8Array);
    else await Deno.copyFile(`test/images/${name}`, `${folder}/${name}`);
  }
}
