import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { readZip } from "../../../src/web/store/read_zip.ts";
import { readProjectZip, writeProjectZip } from "../../../src/web/store/project_zip.ts";
import { writeZip } from "../../../src/web/store/write_zip.ts";
import { content } from "./content.ts";

const zip = concat(writeProjectZip(content(3))) as Uint8Array<ArrayBuffer>;

/** The same zip file with one entry changed, or without it. */
function changed(name: string, change: (bytes: Uint8Array) => Uint8Array | undefined) {
  const entries = [...readZip(zip)].flatMap(([key, bytes]) => {
    const now = key === name ? change(bytes) : bytes;
    return now ? [[key, now as Uint8Array<ArrayBuffer>] as const] : [];
  });
  return concat(writeZip(new Map(entries))) as Uint8Array<ArrayBuffer>;
}

/** The same zip file with a manifest changed. */
function manifest(change: (json: Record<string, unknown>) => void) {
  return changed("manifest.json", (bytes) => {
    const json = JSON.parse(new TextDecoder().decode(bytes));
    change(json);
    return new TextEncoder().encode(JSON.stringify(json));
  });
}

Deno.test("a project comes back from a zip file as it was", () => {
  const { classes, photos, images } = readProjectZip(zip);
  const expected = content(3);
  assertEquals(classes.map(({ name }) => name), ["cat", "dog"]);
  assertEquals(images, expected.images);
  const names = new Map(classes.map(({ id, name }) => [id, name]));
  const ids = new Map(expected.classes.map(({ id, name }) => [id, name]));
  assertEquals(
    photos.map(({ classId, ...photo }) => ({ ...photo, label: names.get(classId) })),
    expected.photos.map(({ classId, ...photo }) => ({ ...photo, label: ids.get(classId) })),
  );
});

const DAMAGES: readonly (readonly [string, Uint8Array<ArrayBuffer>, string])[] = [
  ["no zip file", Uint8Array.of(1, 2, 3), "not a zip file"],
  ["a part of a file", zip.slice(0, 500), "cut off"],
  ["another zip file", concat(writeZip(new Map())) as Uint8Array<ArrayBuffer>, "no manifest.json"],
  ["no JSON", changed("manifest.json", () => Uint8Array.of(1)), "manifest.json is not JSON"],
  [
    "JSON null",
    changed("manifest.json", () => new TextEncoder().encode("null")),
    "not one of a project",
  ],
  ["another format", manifest((json) => json.format = "other"), "not one of a project"],
  ["a newer version", manifest((json) => json.version = 2), "it has version 2"],
  ["a wrong field", manifest((json) => json.photos = [{}]), "photos.0.hash is wrong"],
  [
    "a class twice",
    manifest((json) => json.classes = [{ name: "cat", time: 0 }, { name: "cat", time: 0 }]),
    "two classes have the same name",
  ],
  [
    "a class missing",
    manifest((json) => json.classes = [{ name: "cat", time: 0 }]),
    "which is not there",
  ],
  [
    "a photo twice",
    manifest((json) => (json.photos as unknown[])[1] = (json.photos as unknown[])[0]),
    "it has a photo twice",
  ],
  ["embeddings missing", changed("embeddings.f32", () => undefined), "no embeddings.f32"],
  ["embeddings cut off", changed("embeddings.f32", (b) => b.slice(4)), "embeddings.f32 has"],
  [
    "an embedding of NaN",
    changed("embeddings.f32", (b) => new Uint8Array(b.length).fill(0xff)),
    "not finite",
  ],
  ["pixels cut off", changed("pixels.rgb", (b) => b.slice(1)), "pixels.rgb has"],
  [
    "a thumbnail that is no JPEG",
    changed(`thumbnails/${content(3).photos[0]!.hash}.jpg`, () => Uint8Array.of(0)),
    "is no JPEG file",
  ],
  [
    "a thumbnail too large",
    changed(`thumbnails/${content(3).photos[0]!.hash}.jpg`, () => {
      const jpeg = new Uint8Array(1_000_001);
      jpeg.set([0xff, 0xd8]);
      return jpeg;
    }),
    "is no JPEG file",
  ],
];

for (const [what, bytes, message] of DAMAGES) {
  Deno.test(`a zip file is refused: ${what}`, () => {
    assertThrows(() => readProjectZip(bytes), SyntaxError, message);
  });
}

Deno.test("an image whose sides the manifest exaggerates is refused before its pixels are made", () => {
  const huge = manifest((json) => (json.photos as { width: number }[])[0]!.width = 4097);
  assertThrows(() => readProjectZip(huge), SyntaxError, "photos.0.width is wrong");
});
