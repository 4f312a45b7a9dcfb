import { removeIfThere } from "./remove_if_there.ts";

/** The beginning of a file, kept as `PATH.partial`, and of which version it is: `PATH.partial.json`. */
export interface KeptPart {
  readonly size: number;
  /** A strong `ETag`: byte for byte the same file. */
  readonly etag: string;
  readonly sha256: string | undefined;
}

/** What there is of a file; nothing if another download cannot go on from it. */
export async function readKept(path: string): Promise<KeptPart | undefined> {
  try {
    const { size } = await Deno.stat(`${path}.partial`);
    const { etag, sha256 } = JSON.parse(await Deno.readTextFile(`${path}.partial.json`));
    if (size === 0 || typeof etag !== "string") return undefined;
    return { size, etag, sha256: typeof sha256 === "string" ? sha256 : undefined };
  } catch (error) {
    // A write may have been interrupted.
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Notes of which version a part will be, unless the server gives versions no names. */
export async function writeVersion(
  path: string,
  { etag, sha256 }: { etag: string | undefined; sha256: string | undefined },
): Promise<void> {
  // Two files with the same weak ETag may differ in bytes (RFC 9110, 13.1.5).
  if (!etag || etag.startsWith("W/")) return;
  await Deno.writeTextFile(`${path}.partial.json`, JSON.stringify({ etag, sha256 }));
}

/** Forgets what there is of a file. */
export async function removeKept(path: string): Promise<void> {
  await removeIfThere(`${path}.partial`);
  await removeIfThere(`${path}.partial.json`);
}
