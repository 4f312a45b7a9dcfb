import { assertEquals, assertRejects } from "@std/assert";
import { decodedImages } from "../../src/dataset/decoded_images.ts";
import { findPretrainingImages } from "../../src/dataset/photo_sources.ts";
import { findTarImages } from "../../src/dataset/tar_images.ts";
import { TempFolder } from "../cli/run.ts";
import { paxRecords, tarFile } from "./tar_file.ts";

const ship = Deno.readFileSync("test/images/ship.jpg");
const dog = Deno.readFileSync("test/images/dog.jpg");

Deno.test("a tar file's images have names, labels as in webdataset, and their bytes", async () => {
  using folder = new TempFolder();
  const long = `${"long/".repeat(30)}é.jpg`;
  const tar = folder.write(
    "a.tar",
    tarFile([
      { name: "photos/", type: "5" },
      { name: "photos/0001.ship.jpg", content: ship },
      { name: "photos/0001.cls", content: "8\n" },
      { name: "photos/0002.json", content: "{}" },
      { name: "x", type: "x", content: paxRecords({ path: long, mtime: "1.5" }) },
      { name: "cut.jpg", content: dog },
      { name: "link.jpg", type: "2" },
      { name: "x", type: "L", content: "gnu/long.jpg\0" },
      { name: "cut.jpg", content: dog },
      { name: "c.png", prefix: "in/front", content: "no image" },
    ]),
  );
  const images = await findTarImages(tar);
  assertEquals(images.map(({ file, label }) => [file.slice(tar.length + 1), label]), [
    ["photos/0001.ship.jpg", "8"],
    [long, undefined],
    ["gnu/long.jpg", undefined],
    ["in/front/c.png", undefined],
  ]);
  const decoded = await Array.fromAsync(decodedImages(images, new ReadableStream()));
  assertEquals(decoded.map(({ image }) => image?.width), [480, 400, 400, undefined]);
  assertEquals(await findPretrainingImages([tar], () => {}), images);
});

Deno.test("a tar file without its end is read; one that is cut off is refused", async () => {
  using folder = new TempFolder();
  const whole = tarFile([{ name: "a.jpg", content: ship }], true);
  assertEquals((await findTarImages(folder.write("open.tar", whole))).length, 1);
  for (
    const [bytes, words] of [
      [whole.subarray(0, 300), "it ends in a header"],
      [whole.subarray(0, 5000), "it ends in the entry a.jpg"],
      [ship, "it is no tar file: there is no header at byte 0"],
      [
        tarFile([{ name: "x", type: "x", content: "99 path=a\n" }]),
        "an extended header is damaged",
      ],
      [
        tarFile([{ name: "x", type: "L", content: new Uint8Array(1_000_001) }]),
        "a text of 1000001 bytes",
      ],
    ] as const
  ) {
    const tar = folder.write("bad.tar", bytes);
    await assertRejects(() => findTarImages(tar), Error, words);
  }
  await assertRejects(() => findTarImages("test/nowhere.tar"), Error, "no such file");
  const empty = folder.write("empty.tar", tarFile([{ name: "notes.txt" }]));
  await assertRejects(
    () => findPretrainingImages([empty], () => {}),
    Error,
    "no image is in this tar",
  );
});
