import { concat } from "@std/bytes/concat";
import { assert, assertEquals } from "@std/assert";
import { writePng } from "../../src/image/write_png.ts";
import type { PipelineTensor } from "../../src/mod.ts";
import { pipeline } from "../../src/model/pipeline/pipeline.ts";
import { readCheckpoint } from "../../src/hub/read_checkpoint.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import { writeModelFile } from "../../src/vit_msn/model_file.ts";
import { toWeights } from "../../src/vit_msn/weights.ts";
import { uniform } from "../random.ts";
import { command } from "./support/command.ts";

/** The package whose `pipeline` this project's stands in for. */
export const TRANSFORMERS = "@huggingface/transformers@4.3.2";

/** Where transformers.js expects a model; its name is the folder's. */
const NAME = "tiny";
const PREPROCESSOR = {
  image_processor_type: "ViTImageProcessor",
  do_resize: true,
  size: { height: 30, width: 30 },
  resample: 2,
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
};

type Labels = readonly { readonly label: string; readonly score: number }[];

/** What `transformers_js.mjs` prints. */
interface Theirs {
  readonly one: Labels;
  readonly two: Labels;
  readonly all: readonly Labels[];
  readonly many: readonly Labels[];
  readonly tokens: Pick<PipelineTensor, "type" | "dims" | "size"> & { readonly data: number[] };
  readonly nested: readonly (readonly number[])[];
  readonly pooled: string;
}

/** `pipeline()` gives what transformers.js' own does on the same ONNX file, with its arguments. */
export async function transformers(t: Deno.TestContext, folder: string): Promise<void> {
  await t.step("pipelines, beside those of transformers.js", async () => {
    await Deno.mkdir(`${folder}/${NAME}/onnx`, { recursive: true });
    await Deno.writeTextFile(`${folder}/package.json`, '{ "private": true, "type": "module" }');
    // Without scripts: onnxruntime-node's would download more.
    const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", TRANSFORMERS];
    await command("npm", args, { cwd: folder });

    const { config, tensors } = await readCheckpoint(`test/golden/${NAME}`);
    const weights = toWeights(tensors, parseConfig(config));
    const file = concat(writeModelFile(config, PREPROCESSOR, weights, "f32"));
    await Deno.writeFile(`${folder}/${NAME}/onnx/model.onnx`, file);
    await Deno.writeTextFile(`${folder}/${NAME}/config.json`, JSON.stringify(config));
    await Deno.writeTextFile(
      `${folder}/${NAME}/preprocessor_config.json`,
      JSON.stringify(PREPROCESSOR),
    );
    // Images of the model's own size: transformers.js resizes them in another way than Python.
    const random = uniform(7);
    const photos: Uint8Array[] = [];
    for (const name of ["a.png", "b.png"]) {
      const data = Uint8Array.from({ length: 30 * 30 * 3 }, () => Math.floor(256 * random()));
      photos.push(await writePng({ width: 30, height: 30, data }));
      await Deno.writeFile(`${folder}/${name}`, photos.at(-1)!);
    }
    const script = `${Deno.cwd()}/test/hosts/transformers_js.mjs`;
    const theirs: Theirs = JSON.parse(
      await command("node", [script, NAME, "a.png", "b.png"], { cwd: folder }),
    );

    await using classify = await pipeline("image-classification", file);
    await using extract = await pipeline("image-feature-extraction", file);
    assertAlmostSame(await classify(photos[0]!), theirs.one);
    assertAlmostSame(await classify(photos[0]!, { top_k: 2 }), theirs.two);
    (await classify(photos, { top_k: null })).forEach((labels, i) =>
      assertAlmostSame(labels, theirs.all[i]!)
    );
    (await classify(photos, { top_k: 1000 })).forEach((labels, i) =>
      assertAlmostSame(labels, theirs.many[i]!)
    );
    const { type, dims, size, data } = await extract(photos);
    const { data: expected, ...rest } = theirs.tokens;
    assertEquals({ type, dims, size }, rest);
    const difference = Math.max(...expected.map((x, i) => Math.abs(x - data[i]!)));
    console.log(`The largest difference of a token is ${difference}`);
    assert(difference < 1e-4);
    const rows = (await extract(photos[0]!)).tolist() as number[][][];
    assertEquals(rows.map((row) => row.map((token) => token.length)), theirs.nested);
    // ViT-MSN has no pooler, which transformers.js asks for; this project gives the CLS token.
    assert(theirs.pooled.includes("pooler"));
    assertEquals((await extract(photos, { pool: true })).dims, [2, 32]);
  });
}

function assertAlmostSame(actual: Labels, expected: Labels): void {
  assertEquals(actual.map(({ label }) => label), expected.map(({ label }) => label));
  actual.forEach(({ score }, i) => assert(Math.abs(score - expected[i]!.score) < 1e-5));
}
