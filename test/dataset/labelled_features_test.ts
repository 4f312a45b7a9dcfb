import { assert, assertEquals, assertRejects } from "@std/assert";
import { FeatureCache } from "../../src/dataset/feature_cache.ts";
import { labelledFeatures, type LeftOut } from "../../src/dataset/labelled_features.ts";
import type { RawImage } from "../../src/image/raw_image.ts";
import { readGolden } from "../golden/golden.ts";
import { TempFolder } from "../cli/run.ts";

const golden = readGolden("decoded.safetensors");
const file = (name: string) => golden.get(`${name}.file`)!.data as Uint8Array<ArrayBuffer>;

function compute(images: readonly RawImage[]): Promise<Float32Array[]> {
  return Promise.resolve(images.map(({ width, height }) => {
    const length = Math.hypot(width, height);
    return Float32Array.of(width / length, height / length);
  }));
}

for (const jobs of [1, 3]) {
  Deno.test(`labelledFeatures leaves out duplicates and what fails, with ${jobs} jobs`, async () => {
    using folder = new TempFolder();
    const write = (name: string, label: string, bytes: Uint8Array | string) => ({
      file: folder.write(name, bytes),
      label,
    });
    const images = [
      write("a/1", "a", file("png_rgb")),
      write("a/2", "a", file("jpeg_420")),
      write("a/again", "a", file("png_rgb")),
      write("a/broken", "a", "x"),
      write("b/broken", "b", "x"),
      write("b/1", "b", file("webp_lossy")),
      write("b/other", "b", file("jpeg_420")),
    ];
    const options = { stdin: new ReadableStream<Uint8Array>(), jobs };
    const run = async (cache?: FeatureCache) => {
      const left: LeftOut[] = [];
      let calls = 0;
      let computed = 0;
      const found = await labelledFeatures(images, {
        ...options,
        cache,
        compute: (images) => {
          computed += images.length;
          return compute(images);
        },
        onLeftOut: (image) => left.push(image),
        onImage: () => calls++,
      });
      return { found, left, calls, computed };
    };
    const { found, left, calls, computed } = await run();
    assertEquals([found.files, found.labels], [
      [images[0]!.file, images[5]!.file],
      ["a", "b"],
    ]);
    assertEquals([found.skipped, calls, computed], [5, 7, 3]);
    const [again, broken, twin, other] = left;
    assertEquals(again, {
      file: images[2]!.file,
      label: "a",
      twin: images[0]!.file,
      twinLabel: "a",
    });
    assert(broken && "error" in broken && broken.error.includes("no image format"));
    assertEquals(twin, { ...broken, file: images[4]!.file });
    assertEquals(other, {
      file: images[6]!.file,
      label: "b",
      twin: images[1]!.file,
      twinLabel: "a",
    });

    const open = () => FeatureCache.open(`${folder.path}/cache`, 2, (error) => assert(!error));
    for (const expected of [3, 0]) {
      using cache = await open();
      assertEquals(await run(cache), { found, left, calls, computed: expected });
    }
  });
}

Deno.test("labelledFeatures refuses a class of which nothing is left", async () => {
  using folder = new TempFolder();
  const images = [
    { file: folder.write("a", file("png_rgb")), label: "a" },
    { file: folder.write("b", "x"), label: "b" },
  ];
  const labelled = labelledFeatures(images, {
    stdin: new ReadableStream(),
    jobs: 2,
    compute,
    onLeftOut: () => {},
    onImage: () => {},
  });
  await assertRejects(() => labelled, Error, "the class b has no image: its only file");
});
