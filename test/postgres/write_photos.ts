import { writePng } from "../../src/image/write_png.ts";
import type { TempFolder } from "../cli/run.ts";
import { uniform } from "../random.ts";

const LABELS = ["bird", "dog", "ship"];

/** Their width and height, as of CIFAR-10: to decode one takes no time. */
const SIZE = 32;

/**
 * Writes images into a folder, each of noise of its own; but every tenth has the bytes of the one before it.
 *
 * @param name of a folder in the folder; other images for another name.
 * @returns the path of that folder.
 */
export async function writePhotos(
  folder: TempFolder,
  name: string,
  count: number,
): Promise<string> {
  const random = uniform([...name].reduce((seed, letter) => 31 * seed + letter.charCodeAt(0), 1));
  let content = new Uint8Array();
  for (let i = 0; i < count; i++) {
    if (i % 10 !== 9) {
      const data = Uint8Array.from({ length: 3 * SIZE * SIZE }, () => 256 * random());
      content = await writePng({ width: SIZE, height: SIZE, data });
    }
    const path = folder.write(`${name}/${LABELS[i % LABELS.length]}/${i}.png`, content);
    // Long ago, so that the time tells whether it changes.
    Deno.utimeSync(path, 1e9, 1e9);
  }
  return `${folder.path}/${name}`;
}
