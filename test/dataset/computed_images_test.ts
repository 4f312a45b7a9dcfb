import { assert, assertEquals } from "@std/assert";
import { computedImages } from "../../src/dataset/computed_images.ts";
import type { RawImage } from "../../src/image/raw_image.ts";
import { readGolden } from "../golden/golden.ts";
import { TempFolder } from "../cli/run.ts";

const golden = readGolden("decoded.safetensors");
const png = golden.get("png_rgb.file")!.data as Uint8Array<ArrayBuffer>;
const jpeg = golden.get("jpeg_420.file")!.data as Uint8Array<ArrayBuffer>;
const stdin = new ReadableStream<Uint8Array>();

const widths = (images: readonly RawImage[]) => Promise.resolve(images.map(({ width }) => width));

/** 60 images: each seventh is none. */
function mixed(folder: TempFolder): { file: string }[] {
  return Array.from({ length: 60 }, (_, i) => ({
    file: folder.write(`${i}.img`, i % 7 === 6 ? "no image" : i % 2 ? png : jpeg),
  }));
}

Deno.test("computedImages gives the same in the same order, whatever jobs", async () => {
  using folder = new TempFolder();
  const files = mixed(folder);
  const sizes = new Map<number, number[]>();
  const compute = (jobs: number) => (images: readonly RawImage[]) => {
    sizes.set(jobs, [...sizes.get(jobs) ?? [], images.length]);
    return widths(images);
  };
  const [one, two] = await Promise.all(
    [1, 2].map(async (jobs) =>
      await Array.fromAsync(computedImages(files, { stdin, jobs, compute: compute(jobs) }))
    ),
  );
  assertEquals(one, two);
  assertEquals(one!.map(({ file }) => file), files.map(({ file }) => file));
  assertEquals(one!.filter(({ error }) => error?.includes("no image format")).length, 8);
  assert(sizes.get(1)!.every((size) => size === 1));
  assert(sizes.get(2)!.some((size) => size > 8) && sizes.get(2)!.every((size) => size <= 16));
});

Deno.test("computedImages: an image that cannot be computed fails alone", async () => {
  using folder = new TempFolder();
  const files = [png, jpeg, png].map((bytes, i) => ({ file: folder.write(`${i}.img`, bytes) }));
  let calls = 0;
  const compute = async (images: readonly RawImage[]) => {
    calls++;
    const [, width] = await widths([images[0]!, ...images]);
    if (images.some(({ width: other }, i) => i > 0 || other !== width)) throw new Error("a batch");
    return [width!];
  };
  const computed = await Array.fromAsync(computedImages(files, { stdin, jobs: 2, compute }));
  assertEquals(calls, 4);
  assert(computed.every(({ result }) => result! > 0));
  const failing = (images: readonly RawImage[]) =>
    images.length > 1 ? Promise.reject(new Error("a batch")) : Promise.reject(new Error("alone"));
  const failed = await Array.fromAsync(
    computedImages(files, { stdin, jobs: 2, compute: failing }),
  );
  assertEquals(failed.map(({ error }) => error), ["alone", "alone", "alone"]);
});

Deno.test("computedImages computes nothing of a file that is known", async () => {
  using folder = new TempFolder();
  const files = [png, jpeg, png].map((bytes, i) => ({ file: folder.write(`${i}.img`, bytes) }));
  const seen = new Set<string>();
  const isKnown = (sha256: string) => seen.size === seen.add(sha256).size;
  const computed = computedImages(files, { stdin, jobs: 2, isKnown, compute: widths });
  const [first, second, twin] = await Array.fromAsync(computed);
  assertEquals([first!.sha256, seen.size], [twin!.sha256, 2]);
  assert(first!.result! > 0 && second!.result! > 0);
  assertEquals(twin, { file: files[2]!.file, sha256: first!.sha256! });
});

Deno.test("computedImages has nothing under way when nobody takes more", async () => {
  using folder = new TempFolder();
  let underWay = 0;
  const compute = async (images: readonly RawImage[]) => {
    underWay++;
    await new Promise((resolve) => setTimeout(resolve, 20));
    underWay--;
    return await widths(images);
  };
  for await (const { file } of computedImages(mixed(folder), { stdin, jobs: 2, compute })) {
    assert(file);
    break; // workers that went on would fail this test
  }
  assertEquals(underWay, 0);
});
