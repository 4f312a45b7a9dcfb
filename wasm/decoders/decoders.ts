import mozjpegWasm from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm" with { type: "bytes" };
import webpWasm from "@jsquash/webp/codec/dec/webp_dec.wasm" with { type: "bytes" };
import gifWasm from "imagescript/wasm/any/gif.wasm" with { type: "bytes" };
import jpegWasm from "imagescript/wasm/any/jpeg.wasm" with { type: "bytes" };
import pngWasm from "imagescript/wasm/any/png.wasm" with { type: "bytes" };
import { importMemory } from "./import_memory.ts";
import { withoutCustomSections } from "./wasm_sections.ts";

/** A decoder of a package. */
interface DecoderSource {
  /** The module in the package. */
  readonly wasm: Uint8Array;
  /** Its SHA-256 in hexadecimal. */
  readonly sha256: string;
  /** The memory that it starts with at least, in pages of 64 KiB. */
  readonly pages: number;
}

/** The decoders by their names: `jpeg` becomes `jpeg.wasm`. */
export const DECODERS = {
  jpeg: {
    wasm: jpegWasm,
    sha256: "019bcef4d864045e9b2df7e39ef6e7f3227d80b08a33742e1438441f2ddc2368",
    pages: 17,
  },
  mozjpeg: {
    wasm: mozjpegWasm,
    sha256: "a7c4b12169817e779ff4af137981393ae924944e167ad1bd95747c9199162d3e",
    pages: 16,
  },
  png: {
    wasm: pngWasm,
    sha256: "3687bebda95af7572626ab02c09c60a79f160385abad979dbb494f6b17cda2cf",
    pages: 82,
  },
  gif: {
    wasm: gifWasm,
    sha256: "f7f44aba19ee1832542a5bcbb70ba08d4f578c5cfaddcc7c54c2e614f417f49d",
    pages: 17,
  },
  webp: {
    wasm: webpWasm,
    sha256: "30fb52fa2a80166d25ba7debf902218904ba1f05ccce9f959f722beff9e2f344",
    pages: 16,
  },
} as const satisfies Readonly<Record<string, DecoderSource>>;

/**
 * Makes a decoder of its package's module: it imports its memory, and has no names and notes of its
 * compiler.
 *
 * @returns the same bytes from the same package.
 * @throws {Error} if the package has another module than the one that was examined.
 */
export async function buildDecoder(name: keyof typeof DECODERS): Promise<Uint8Array<ArrayBuffer>> {
  const { wasm, sha256, pages } = DECODERS[name];
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", wasm)).toHex();
  if (digest !== sha256) {
    throw new Error(
      `Cannot build ${name}.wasm: its source has the SHA-256 ${digest}, not ${sha256}`,
    );
  }
  return importMemory(withoutCustomSections(wasm), pages);
}
