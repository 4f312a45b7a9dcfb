/** The endings of unsupported image formats, by the format's name. */
const UNREAD: Readonly<Record<string, readonly string[]>> = {
  HEIC: ["heic", "heif", "hif", "heics", "heifs"],
  AVIF: ["avif", "avifs"],
  TIFF: ["tif", "tiff"],
  BMP: ["bmp", "dib"],
  SVG: ["svg", "svgz"],
  "JPEG XL": ["jxl"],
  "JPEG XR": ["jxr", "wdp", "hdp"],
  "JPEG 2000": ["jp2", "j2k", "jpf", "jpx", "jpm"],
  ICO: ["ico", "cur"],
  PSD: ["psd", "psb"],
  PNM: ["pnm", "pbm", "pgm", "ppm", "pam"],
  EPS: ["eps"],
  TGA: ["tga"],
  PCX: ["pcx"],
  DDS: ["dds"],
  EXR: ["exr"],
  HDR: ["hdr"],
  QOI: ["qoi"],
  XCF: ["xcf"],
  ICNS: ["icns"],
};

/** Endings of cameras' raw files; each is named by its ending. */
// deno-fmt-ignore
const RAW = [
  "3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "fff", "iiq", "k25", "kdc", "mef", "mos", "mrw",
  "nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f",
];

const KINDS = new Map([
  ...Object.entries(UNREAD).flatMap(([kind, endings]) =>
    endings.map((ending): [string, string] => [ending, kind])
  ),
  ...RAW.map((ending): [string, string] => [ending, ending.toUpperCase()]),
]);

/**
 * The unsupported image format of a file, by its name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { unreadKind } from "./unread_images.ts";
 *
 * assertEquals(unreadKind("photos/IMG_1.HEIF"), "HEIC");
 * assertEquals(unreadKind("photos/1.jpg"), undefined);
 * ```
 */
export function unreadKind(file: string): string | undefined {
  return KINDS.get(/\.([^./\\]+)$/.exec(file)?.[1]?.toLowerCase() ?? "");
}

/**
 * Describes unsupported image files: their number by format, and what to do.
 *
 * @param files each of an {@linkcode unreadKind}.
 */
export function unreadText(files: readonly string[]): string {
  const counts = [...Map.groupBy(files, (file) => unreadKind(file)!)]
    .map(([kind, { length }]) => ({ kind, length }))
    .sort((a, b) => b.length - a.length || (a.kind < b.kind ? -1 : 1))
    .map(({ kind, length }) => `${length} ${kind}`);
  return `${counts.join(", ")}; convert ${files.length === 1 ? "it" : "them"} to JPEG or PNG`;
}
