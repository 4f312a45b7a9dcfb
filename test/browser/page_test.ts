// The page in a real browser: what it says is what the library says, and its manners. `deno task test:browser`; needs
// Chromium and npm's registry, or its cache.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import {
  attentionMap,
  computeAttentions,
  decodeImage,
  loadClassifier,
  overlayAttention,
  simdRuntime,
  toRawImage,
} from "../../src/mod.ts";
import { sha256 } from "../../src/tensor/sha256.ts";
import { assertSame } from "../hosts/support/assert_same.ts";
import { readGolden } from "../golden/golden.ts";
import { missing } from "./missing.ts";
import { runProgram } from "./run_program.ts";

/** Bytes of JavaScript and WebAssembly, compressed, that the first label of a JPEG may take. */
const MAX_SCRIPTS = 120_000;

/** How much longer than the model's download the first label may take. */
const MAX_SLOWDOWN = 1.5;

const reason = await missing();

const MODEL = "functions/_shared/model.onnx";

/** A drawn map in the page. */
interface Drawn {
  readonly width: number;
  readonly height: number;
  /** Of R, G and B of all pixels. */
  readonly sha256: string;
}

Deno.test({
  name: `the page${reason ? ` (skipped: ${reason})` : ""}`,
  ignore: reason !== undefined,
  async fn(t) {
    const folder = await Deno.makeTempDir();
    try {
      const photos = `${folder}/photos`;
      await writePhotos(photos);
      const { see, explain, bare, plain, hub, speed, looks } = await runProgram("visit", folder, [
        photos,
      ]);

      await using model = await loadClassifier(await Deno.readFile(MODEL));
      const topK = model.config.id2label.length;
      const read = (name: string) => Deno.readFile(`${photos}/${name}`);
      const labelsOf = async (name: string) => await model.classify(await read(name), { topK });
      const ship = await labelsOf("ship.jpg");

      await t.step("nothing goes wrong, nothing is asked of others", () => {
        for (const { wrongs } of [see, explain, bare, plain, hub, speed, looks]) {
          assertEquals(wrongs, []);
        }
      });

      await t.step("labels are those of classify", async () => {
        assertMatch(see.engine, /relaxed SIMD, \d+ threads?$/);
        const expected = [
          ship,
          await labelsOf("dog.jpg"),
          await labelsOf("scene.png"),
          await labelsOf("scene.webp"),
        ];
        assertSame(see.labels, expected);
      });

      await t.step("what cannot be read is named", () => {
        assertMatch(see.refusal, /Cannot decode the image: it is no image format known here/);
        assertMatch(see.broken, /not an ONNX file|Cannot/);
      });

      await t.step("the first label takes few scripts", async () => {
        let size = 0;
        for (const path of speed.scripts) size += await gzipSize(`${folder}/page/${path}`);
        console.log(`${(size / 1000).toFixed(1)} kB of scripts to the first label`);
        assertLess(size, MAX_SCRIPTS);
      });

      await t.step("the main thread stays free", () => {
        console.log(`longest tasks while inferring: ${see.blocked} ms`);
        assert(see.blocked.includes(0));
      });

      await t.step("the first label comes soon after the model", () => {
        const { warm, model } = speed;
        console.log(`first label after ${warm.toFixed(0)} ms, model after ${model.toFixed(0)} ms`);
        assertLess(warm, MAX_SLOWDOWN * model);
      });

      await t.step("attention is that of the library", async () => {
        const photo = await decodeImage(await read("dog.jpg"));
        const attentions = await computeAttentions(model, photo);
        const weights = attentionMap(attentions).weights;
        assertSame(explain.weights, [...weights]);
        const assertDrawn = async (
          drawn: Drawn,
          choice: Parameters<typeof attentionMap>[1],
          of = attentions,
        ) => {
          const { width, height, data } = overlayAttention(photo, attentionMap(of, choice));
          assertEquals(drawn, { width, height, sha256: await sha256(data) });
        };
        await assertDrawn(explain.mean, {});
        await assertDrawn(explain.head, { layer: 3, head: 1, threshold: 0.6 });
        await assertDrawn(explain.rollout, { layer: 2, rollout: true });
        const kept = await computeAttentions(model, photo, { keepPatches: 0.25 });
        await assertDrawn(explain.kept, { layer: 2, rollout: true }, kept);
        const dropping = { keepPatches: 0.25, seed: 0 };
        assertSame(explain.keptLabels, await model.classify(photo, dropping));
      });

      await t.step("a host without headers, and none at all", () => {
        assertMatch(bare.first, /1 thread$/);
        const { hardwareConcurrency } = navigator;
        if (hardwareConcurrency > 1) assertMatch(bare.second, /[2-9] threads$/);
        assertEquals(bare.other, "Another");
        assertEquals(bare.offline, bare.second);
        assertSame(bare.labels, [ship]);
        assertSame(bare.offlineLabels, [ship]);
        assertEquals(bare.asked, 0);
      });

      await t.step("a browser without relaxed SIMD", async () => {
        assertMatch(plain.engine, /plain SIMD/);
        await using model = await loadClassifier(await Deno.readFile(MODEL), {
          runtime: simdRuntime({ build: "plain" }),
        });
        const photo = await toRawImage(await read("dog.jpg"));
        assertSame(plain.labels, [await model.classify(photo, { topK })]);
      });

      await t.step("a model of the hub", async () => {
        assertEquals(hub.asked, "/org/mine/resolve/main/model.onnx");
        const dog = await labelsOf("dog.jpg");
        assertSame(hub.labels, [dog, dog]);
        assertMatch(hub.missing, /Cannot load the model org\/none/);
      });

      await t.step("axe finds nothing serious, and nothing is too wide", () => {
        assertEquals([...see.found, ...explain.found, ...looks.found], []);
        assertEquals(looks.widths.filter((width: number) => width > 0), []);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Photos, and files that are none. */
async function writePhotos(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  for (const name of ["dog.jpg", "ship.jpg"]) {
    await Deno.copyFile(`test/images/${name}`, `${folder}/${name}`);
  }
  const golden = readGolden("decoded.safetensors");
  for (const [name, file] of [["scene.png", "png_rgb.file"], ["scene.webp", "webp_lossy.file"]]) {
    await Deno.writeFile(`${folder}/${name}`, golden.get(file!)!.data as Uint8Array);
  }
  await Deno.writeTextFile(`${folder}/notes.txt`, "This is no photo.");
  const model = await Deno.readFile(MODEL);
  await Deno.writeFile(`${folder}/mine.onnx`, model);
  await Deno.writeFile(`${folder}/broken.onnx`, model.subarray(0, 1000));
}

async function gzipSize(path: string): Promise<number> {
  const { readable } = await Deno.open(path);
  const stream = readable.pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength;
}
