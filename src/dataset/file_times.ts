import type { ImageFile } from "./image_files.ts";

/** What tells whether a file has changed, without reading it. */
export interface FileTimes {
  /** In bytes; of an image that is a part of a file, its own. */
  readonly size: number;
  /** When the file was last changed, in milliseconds since 1970; undefined if it may change unnoticed. */
  readonly modified?: number;
}

/**
 * A file that was changed so short a time ago may be changed again without another time: some file systems
 * count in steps of 2 s.
 */
const SETTLED = 2000;

/**
 * Returns a function that says what tells whether a file has changed. It asks the system once for each file,
 * also if many images are parts of it.
 *
 * @param now the time in milliseconds since 1970.
 */
export function fileTimes(now: number): (image: ImageFile) => FileTimes {
  let last: { file: string; times: FileTimes } | undefined;
  return ({ file, range, times }) => {
    if (times) return times;
    const name = range?.file ?? file;
    if (last?.file !== name) last = { file: name, times: timesOf(name, now) };
    return range ? { ...last.times, size: range.size } : last.times;
  };
}

function timesOf(file: string, now: number): FileTimes {
  try {
    const { size, mtime } = Deno.statSync(file);
    const modified = mtime?.getTime();
    return modified === undefined || modified > now - SETTLED ? { size } : { size, modified };
  } catch {
    return { size: 0 }; // whoever reads it says what is wrong
  }
}
