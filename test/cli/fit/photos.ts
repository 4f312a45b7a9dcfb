import { writePng } from "../../../src/image/write_png.ts";
import type { System } from "../../../src/cli/options/system.ts";
import { uniform } from "../../../src/tensor/random.ts";
import { EMPTY_SYSTEM, type TempFolder } from "../run.ts";

/** A picture of one colour and some noise. */
export async function picture(colour: readonly number[], seed: number): Promise<Uint8Array> {
  const random = uniform(seed);
  const data = Uint8Array.from({ length: 3 * 20 * 20 }, (_, i) => colour[i % 3]! + 50 * random());
  return await writePng({ width: 20, height: 20, data });
}

export const COLOURS = { red: [200, 0, 0], "dark blue": [0, 0, 100], "grün; <b>": [0, 200, 0] };

/** A folder with a folder of photos for each class. */
export async function photos(
  folder: TempFolder,
  name: string,
  count: number,
  { seed = 0, classes = Object.keys(COLOURS) }: { seed?: number; classes?: string[] } = {},
): Promise<string> {
  for (const [c, label] of classes.entries()) {
    for (let i = 0; i < count; i++) {
      const colour = COLOURS[label as keyof typeof COLOURS];
      const png = await picture(colour, seed + 100 * c + i + label.length * 1000);
      folder.write(`${name}/${label}/${i}.png`, png);
    }
  }
  return `${folder.path}/${name}`;
}

/** A system whose cache is in the folder. */
export function systemOf(folder: TempFolder): System {
  const home = Deno.realPathSync(folder.path);
  const env = (name: string) => Promise.resolve(name === "XDG_CACHE_HOME" ? home : undefined);
  return { ...EMPTY_SYSTEM, env };
}

export const exists = (path: string) => {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
};
