import { fileErrorCode } from "./file_error_code.ts";
import { fileSystem } from "./file_system.ts";
import { removeIfThere } from "./remove_if_there.ts";

/** A partial download: the bytes are in `PATH.partial`, the version is in `PATH.partial.json`. */
export interface KeptPart {
  /** In bytes. */
  readonly size: number;
  /** A strong `ETag`, which identifies the exact bytes. */
  readonly etag: string;
  readonly sha256: string | undefined;
}

/** Reads the state of a partial download; `undefined` if there is none that can be resumed. */
export async function readKept(path: string): Promise<KeptPart | undefined> {
  const { stat, readFile } = fileSystem();
  try {
    const { size } = await stat(`${path}.partial`);
    const { etag, sha256 } = JSON.parse(await readFile(`${path}.partial.json`, "utf8"));
    if (size === 0 || typeof etag !== "string") return undefined;
    return { size, etag, sha256: typeof sha256 === "string" ? sha256 : undefined };
  } catch (error) {
    // An interrupted write leaves invalid JSON.
    if (fileErrorCode(error) === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Records the version of a partial download, unless the server sends no strong ETag. */
export async function writeVersion(
  path: string,
  { etag, sha256 }: { etag: string | undefined; sha256: string | undefined },
): Promise<void> {
  // Two files with the same weak ETag may differ in bytes (RFC 9110, 13.1.5).
  if (!etag || etag.startsWith("W/")) return;
  await fileSystem().writeFile(`${path}.partial.json`, JSON.stringify({ etag, sha256 }));
}

/** Deletes a partial download. */
export async function removeKept(path: string): Promise<void> {
  await removeIfThere(`${path}.partial`);
  await removeIfThere(`${path}.partial.json`);
}
