import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dedupe } from "../../src/cli/dedupe.ts";
import { index } from "../../src/cli/index.ts";
import { writePng } from "../../src/image/write_png.ts";
import { crop } from "../../src/image/transform/crop.ts";
import { adjustBrightness } from "../../src/train/augmentation/operations/adjust_brightness.ts";
import { decodeImage } from "../../src/mod.ts";
import { run, TempFolder } from "./run.ts";

const NAMES = ["airplane", "automobile", "bird", "deer", "dog", "frog", "horse", "ship", "truck"];

Deno.test("dedupe finds slightly changed copies, states its error rates, and deletes nothing", async () => {
  using folder = new TempFolder();
  for (const name of NAMES) {
    folder.write(`photos/${name}.jpg`, Deno.readFileSync(`test/images/${name}.jpg`));
  }
  for (const name of ["dog", "ship"]) {
    const image = await decodeImage(Deno.readFileSync(`test/images/${name}.jpg`));
    const inner = crop(image, 4, 4, image.width - 8, image.height - 8);
    folder.write(`photos/${name}-copy.png`, await writePng(adjustBrightness(inner, 1.05)));
  }
  folder.write("photos/twin.jpg", Deno.readFileSync("test/images/frog.jpg"));
  const db = `${folder.path}/a.sqlite`;
  assertEquals((await run(index, [`${folder.path}/photos`, "--db", db])).code, 0);
  const { code, stdout, stderr } = await run(dedupe, ["--db", db, "--json"]);
  assertEquals([code, stderr], [0, ""]);
  const [calibration, ...groups] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(calibration.photos, 11);
  assert(calibration.threshold > 0.5 && calibration.threshold < 1);
  assert(calibration.found > 0.9 && calibration.false_positives <= 0.01);
  const found = groups.map(({ group }: { group: { path: string }[] }) =>
    group.map(({ path }) => path.replace(`${folder.path}/photos/`, "")).toSorted()
  );
  assertEquals(found.toSorted(), [
    ["dog-copy.png", "dog.jpg"],
    ["frog.jpg", "twin.jpg"],
    ["ship-copy.png", "ship.jpg"],
  ]);
  assertEquals([...Deno.readDirSync(`${folder.path}/photos`)].length, 12);
  // The same again, as text.
  const text = await run(dedupe, ["--db", db]);
  assertStringIncludes(
    text.stdout,
    `of at least ${calibration.threshold.toFixed(4)}, calibrated on 11`,
  );
  assertEquals(text.stdout.match(/^2 images$/gm)?.length, 3);
});

Deno.test("dedupe says what it lacks", async () => {
  using folder = new TempFolder();
  const db = `${folder.path}/a.sqlite`;
  const only = folder.write("photos/a.jpg", Deno.readFileSync("test/images/dog.jpg"));
  assertEquals((await run(index, [`${folder.path}/photos`, "--db", db])).code, 0);
  for (const count of [1, 0]) {
    if (count === 0) Deno.removeSync(only);
    const { code, stderr } = await run(dedupe, ["--db", db]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `${count} photos of the index can be read, and it takes 2`);
  }
  assertStringIncludes((await run(dedupe, [])).stderr, "--db is missing");
  assertEquals((await run(dedupe, ["x", "--db", db])).code, 2);
});
