/**
 * EXIF's `Orientation` (tag 0x0112): how the stored rows and columns map to the upright image.
 * 1 is upright; see {@linkcode toUpright} for the others.
 */
export type ExifOrientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;
const LONG = 4;
const SIGNED_SHORT = 8;

/**
 * Reads the orientation from EXIF metadata, which are a TIFF structure. If they are missing, damaged
 * or out of range, it returns 1: bad metadata do not make an image unusable.
 *
 * @param tiff the structure from its byte order mark, `II` or `MM`, onwards.
 */
export function readOrientation(tiff: Uint8Array): ExifOrientation {
  if (tiff.length < 8) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  if (view.getUint16(2, little) !== 42) return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  let orientation: ExifOrientation = 1;
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i; // tag, type, count, value
    if (entry + 12 > tiff.length) break;
    if (view.getUint16(entry, little) !== ORIENTATION_TAG) continue;
    if (view.getUint32(entry + 4, little) === 0) continue;
    const type = view.getUint16(entry + 2, little);
    if (![SHORT, LONG, SIGNED_SHORT].includes(type)) continue;
    const value = type === LONG
      ? view.getUint32(entry + 8, little)
      : view.getUint16(entry + 8, little);
    // The last of several wins, as in Pillow.
    orientation = value >= 1 && value <= 8 ? value as ExifOrientation : 1;
  }
  return orientation;
}
