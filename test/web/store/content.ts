import type { ProjectContent } from "../../../src/web/store/project_zip.ts";

/** A SHA-256 that stands for a number. */
export function hashOf(i: number): string {
  return i.toString(16).padStart(64, "0");
}

/** A project of n photos of cats and dogs, by turns. */
export function content(n: number): ProjectContent {
  const classes = ["cat", "dog"].map((name, i) => ({ id: `id-${name}`, name, time: i }));
  return {
    classes,
    photos: Array.from({ length: n }, (_, i) => ({
      hash: hashOf(i),
      name: `photo ${i}.jpg`,
      classId: classes[i % 2]!.id,
      time: 100 + i,
      model: hashOf(7),
      embedding: Float32Array.of(i, i % 2, 0.5),
    })),
    images: Array.from({ length: n }, (_, i) => ({
      hash: hashOf(i),
      thumbnail: Uint8Array.of(0xff, 0xd8, i % 256).buffer,
      width: 2,
      height: 1,
      pixels: Uint8Array.of(i % 256, 1, 2, 3, 4, 5).buffer,
    })),
  };
}
