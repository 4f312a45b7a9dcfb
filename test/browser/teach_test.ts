// Teach and Compare in a real browser: classes are taught, kept, taken away and brought back. `deno task test:browser`.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { readProjectZip, writeProjectZip } from "../../src/web/store/project_zip.ts";
import { decodeImage, loadModel, rowsOf } from "../../src/mod.ts";
import { uniform } from "../random.ts";
import { command } from "../hosts/support/command.ts";
import { assertSame } from "../hosts/support/assert_same.ts";
import { readGolden } from "../golden/golden.ts";
import { missing } from "./missing.ts";
import { runProgram } from "./run_program.ts";

const MODEL = "functions/_shared/model.onnx";
const [MANY, MANY_CLASSES] = [10_000, 10];
/** Milliseconds in which the page answers, whatever it does. */
const MAX_BLOCKED = 100;

/** A folder for pictures to look at: `SCREENSHOTS=folder deno task test:browser`. */
const SCREENSHOTS = [Deno.env.get("SCREENSHOTS") ?? []].flat();

const reason = await missing();

Deno.test({
  name: `the page teaches${reason ? ` (skipped: ${reason})` : ""}`,
  ignore: reason !== undefined,
  async fn(t) {
    const folder = await Deno.makeTempDir();
    try {
      const photos = `${folder}/photos`;
      await writePhotos(photos);
      const { taught, imported, recorded, many, phone, wrongs } = await runProgram(
        "teach",
        folder,
        [photos, ...SCREENSHOTS],
      );

      await t.step("nothing goes wrong, nothing is asked of others", () => {
        assertEquals(wrongs, []);
      });

      await t.step("nine photos teach a classifier, and the page says how good it is", () => {
        assertEquals(taught.canTeach, [false, true]);
        assertEquals(taught.advice, "Five photos a class suffice: add 1 to “vehicles”.");
        assertMatch(taught.refusal, /1 photo is in “animals” already\. notes\.txt: Cannot decode/);
        assertMatch(taught.accuracy, /^\d+ %\s+right$/);
        const { confusion } = taught;
        assertEquals(confusion.reduce((sum: number, n: number) => sum + n), 9);
        assertEquals(confusion.slice(0, 2).reduce((sum: number, n: number) => sum + n), 5);
      });

      const cli = async (...args: string[]) =>
        JSON.parse(
          await command("deno", [
            "task",
            "--quiet",
            "classify",
            `${photos}/trial.jpg`,
            "--json",
            ...args,
          ]),
        ).labels;

      await t.step("my.onnx and the head give the page's scores to the last bit", async () => {
        assertSame(await cli("--model", `${photos}/my.onnx`, "--unknown"), taught.prediction);
        const head = ["--model", MODEL, "--head", `${photos}/head.onnx`, "--unknown"];
        assertSame(await cli(...head), taught.prediction);
      });

      await t.step("embeddings are those of embed", async () => {
        const lines = (await Deno.readTextFile(`${photos}/embeddings.jsonl`)).trim().split("\n");
        const found = Object.fromEntries(lines.map((line) => {
          const { file, embedding } = JSON.parse(line);
          return [file, embedding];
        }));
        assertEquals(lines.length, 9);
        const ship = await command("deno", ["task", "--quiet", "embed", `${photos}/ship.jpg`]);
        assertSame(found["vehicles/ship.jpg"], JSON.parse(ship).embedding);
      });

      await t.step("a closed tab loses nothing", () => {
        assertEquals(taught.before, { vehicles: "4 photos", animals: "5 photos" });
        assertEquals(taught.after, taught.before);
        assertSame(taught.predictionAfter, taught.prediction);
      });

      await t.step("a label is corrected, and the correction is taught", () => {
        assertEquals(taught.mislabelled, { vehicles: "4 photos", animals: "6 photos" });
        const moved = taught.wrong.is === "animals" ? 1 : -1;
        assertEquals(taught.corrected, {
          vehicles: `${4 + moved} photos`,
          animals: `${6 - moved} photos`,
        });
      });

      await t.step("a class is renamed, deleted and restored", () => {
        const { vehicles, animals } = taught.corrected;
        assertEquals(taught.restored, { "things that move": vehicles, animals });
      });

      await t.step("two photos are compared as the library does", async () => {
        await using model = await loadModel(await Deno.readFile(MODEL));
        const [a, b] = await Promise.all(taught.pair.map(async (text: string) => {
          const [, name] = /photo: (\S+),/.exec(text)!;
          const photo = await decodeImage(await Deno.readFile(`${photos}/${name}`));
          return rowsOf(await model.embed(photo, { normalize: true }))[0]!;
        })) as [Float32Array, Float32Array];
        const cosine = a.reduce((sum, x, d) => sum + x * b[d]!, 0);
        assertEquals(taught.similarity, cosine.toFixed(4));
        assertEquals(taught.nearest.length, 8);
      });

      await t.step("another browser gets all by the zip file", () => {
        assertMatch(imported.refusal, /Cannot read the zip file: it is not a zip file/);
        assertEquals(imported.counts, taught.before);
        assertSame(imported.prediction, taught.prediction);
        assertSame(imported.otherModel, taught.prediction);
      });

      await t.step("the camera records while a button or a key is held, and not longer", () => {
        assertEquals(recorded.after, recorded.before);
        for (const count of Object.values(recorded.after)) assertLess(4, parseInt(count as string));
        assert(recorded.isOff);
        assertLess(100, recorded.brightness);
      });

      await t.step(`${MANY} photos are kept, and the page answers`, async () => {
        const { longest, first, again } = many;
        console.log(`longest tasks in ms: ${JSON.stringify(longest)}`);
        const expected = Object.fromEntries(
          Array.from({ length: MANY_CLASSES }, (_, c) => [
            `class ${c}`,
            `${MANY / MANY_CLASSES} photos`,
          ]),
        );
        assertEquals(first, expected);
        assertEquals(again, expected);
        for (const blocked of Object.values<number>(longest)) assertLess(blocked, MAX_BLOCKED);
        const [before, after] = await Promise.all(
          ["many.zip", "many_again.zip"].map(async (name) => {
            const { photos: all, images } = readProjectZip(
              await Deno.readFile(`${photos}/${name}`),
            );
            const order = all.map((_, i) => i).sort((a, b) => all[a]!.hash < all[b]!.hash ? -1 : 1);
            return order.map((i) => ({ ...all[i]!, classId: "", image: images[i]! }));
          }),
        );
        assertEquals(after!.length, MANY);
        for (let i = 0; i < MANY; i += 97) assertEquals(after![i], before![i]);
      });

      await t.step("axe finds nothing serious, and nothing is too wide", () => {
        assertEquals([...taught.found, ...phone.found], []);
        assertEquals(phone.widths.filter((width: number) => width > 0), []);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Photos, a file that is none, what the camera sees, and a project of many photos. */
async function writePhotos(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  for await (const { name } of Deno.readDir("test/images")) {
    if (name.endsWith(".jpg")) await Deno.copyFile(`test/images/${name}`, `${folder}/${name}`);
  }
  const golden = readGolden("decoded.safetensors");
  const small = golden.get("jpeg_odd.file")!.data as Uint8Array;
  await Deno.writeFile(
    `${folder}/trial.jpg`,
    golden.get("jpeg_progressive.file")!.data as Uint8Array,
  );
  // Another file of the same photo: what follows the end of a JPEG file is not read.
  const automobile = await Deno.readFile("test/images/automobile.jpg");
  await Deno.writeFile(`${folder}/automobile2.jpg`, Uint8Array.of(...automobile, 0));
  await Deno.writeTextFile(`${folder}/notes.txt`, "This is no photo.");
  await Deno.writeFile(`${folder}/camera.y4m`, video());
  const zip = new Blob(writeProjectZip(await manyPhotos(small)));
  await Deno.writeFile(`${folder}/many.zip`, zip.stream());
}

/** A square that moves, so that no frame is like another one for 20 s. */
function video(): Uint8Array<ArrayBuffer> {
  const [width, height, frames] = [160, 120, 160];
  const head = new TextEncoder().encode(`YUV4MPEG2 W${width} H${height} F8:1 Ip A1:1 C420jpeg\n`);
  const mark = new TextEncoder().encode("FRAME\n");
  const size = width * height * 3 / 2;
  const bytes = new Uint8Array(head.length + frames * (mark.length + size)).fill(120);
  bytes.set(head);
  for (let f = 0, at = head.length; f < frames; f++, at += mark.length + size) {
    bytes.set(mark, at);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const isIn = Math.abs(x - f) < 20 && Math.abs(y - 60) < 20;
        bytes[at + mark.length + y * width + x] = isIn ? 220 : 40 + f % 32;
      }
    }
  }
  return bytes;
}

/** Classes of photos whose embeddings lie around a centre each. */
async function manyPhotos(thumbnail: Uint8Array) {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(MODEL));
  const model = new Uint8Array(digest).toHex();
  const random = uniform(1);
  const vector = (size: number) => Float32Array.from({ length: size }, () => random() - 0.5);
  const centres = Array.from({ length: MANY_CLASSES }, () => vector(192));
  const classes = centres.map((_, c) => ({ id: String(c), name: `class ${c}`, time: c }));
  const hash = (i: number) => i.toString(16).padStart(64, "0");
  return {
    classes,
    photos: Array.from({ length: MANY }, (_, i) => {
      const noise = vector(192);
      const centre = centres[i % MANY_CLASSES]!;
      return {
        hash: hash(i),
        name: `photo ${i}.jpg`,
        classId: String(i % MANY_CLASSES),
        time: i,
        model,
        embedding: noise.map((x, d) => x + centre[d]!),
      };
    }),
    images: Array.from({ length: MANY }, (_, i) => ({
      hash: hash(i),
      thumbnail: Uint8Array.from(thumbnail).buffer,
      width: 32,
      height: 32,
      pixels: new Uint8Array(3 * 32 * 32).fill(i).buffer,
    })),
  };
}
