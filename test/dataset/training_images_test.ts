import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { writePng } from "../../src/image/write_png.ts";
import { type TrainingImageOptions, trainingImages } from "../../src/dataset/training_images.ts";
import { TempFolder } from "../cli/run.ts";

const OPTIONS = { decoding: {}, jobs: 1, onImage: () => {}, onLeftOut: () => {} };

async function write(folder: TempFolder, name: string, side: number, level: number) {
  const data = new Uint8Array(3 * side * side).fill(level);
  return folder.write(name, await writePng({ width: side, height: side, data }));
}

Deno.test("trainingImages leaves out twins and what it cannot read, and shrinks", async () => {
  using folder = new TempFolder();
  const files = [
    await write(folder, "a.png", 40, 10),
    await write(folder, "b.png", 8, 20),
    await write(folder, "c.png", 40, 10),
    folder.write("d.png", "no photo"),
  ];
  const left: string[] = [];
  let count = 0;
  const seen: TrainingImageOptions["seen"] = new Map();
  const images = await trainingImages(
    files.map((file, i) => ({ file, label: i === 1 ? "two" : "one" })),
    {
      ...OPTIONS,
      seen,
      shortestSide: 16,
      onImage: () => count++,
      onLeftOut: (image) => left.push("error" in image ? "unreadable" : image.twin),
    },
  );
  assertEquals([images.files, images.labels], [files.slice(0, 2), ["one", "two"]]);
  assertEquals([left, count], [[files[0]!, "unreadable"], 4]);
  assertEquals((await images.image(0)).width, 16);
  assertEquals((await images.image(1)).width, 8);
  // Another set shares no photo with it.
  const others = await trainingImages([{ file: files[1]!, label: "two" }], { ...OPTIONS, seen });
  assertEquals(others.files, []);
});

Deno.test("trainingImages tells other images, or another order, by their digest", async () => {
  using folder = new TempFolder();
  const [a, b, c] = [
    await write(folder, "a.png", 10, 1),
    await write(folder, "b.png", 10, 2),
    await write(folder, "c.png", 10, 3),
  ];
  const digestOf = async (...files: string[]) => {
    const options = { ...OPTIONS, seen: new Map() };
    const images = files.map((file) => ({ file, label: "one" }));
    return (await trainingImages(images, options)).digest;
  };
  assertEquals(await digestOf(a!, b!), await digestOf(a!, b!));
  assertNotEquals(await digestOf(a!, b!), await digestOf(b!, a!));
  assertNotEquals(await digestOf(a!, b!), await digestOf(a!, c!));
});

Deno.test("trainingImages reads images again that do not fit in its memory", async () => {
  using folder = new TempFolder();
  const files = [await write(folder, "a.png", 10, 1), await write(folder, "b.png", 10, 2)];
  const images = await trainingImages(files.map((file) => ({ file, label: "one" })), {
    ...OPTIONS,
    seen: new Map(),
    maxBytes: 300,
  });
  assertEquals((await images.image(1)).data[0], 2);
  Deno.removeSync(files[0]!);
  Deno.removeSync(files[1]!);
  assertEquals((await images.image(0)).data[0], 1);
  await assertRejects(() => images.image(1), Error, `${files[1]}: no such file`);
});

Deno.test("trainingImages takes images without a label, and each of them once", async () => {
  using folder = new TempFolder();
  const [a, b] = [await write(folder, "a.png", 8, 10), await write(folder, "b.png", 8, 20)];
  const twin = await write(folder, "c.png", 8, 10);
  const left: unknown[] = [];
  const images = await trainingImages(
    [{ file: a }, { file: b, label: "two" }, { file: twin }, { file: twin, label: "one" }],
    { ...OPTIONS, seen: new Map(), onLeftOut: (image) => left.push(image) },
  );
  assertEquals([images.files, images.labels], [[a, b], [undefined, "two"]]);
  assertEquals(left, [
    { file: twin, label: undefined, twin: a, twinLabel: undefined },
    { file: twin, label: "one", twin: a, twinLabel: undefined },
  ]);
});
