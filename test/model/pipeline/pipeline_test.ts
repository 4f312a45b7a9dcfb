import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  decodeImage,
  loadClassifier,
  pipeline,
  PipelineTensor,
  rowsOf,
  simdRuntime,
} from "../../../src/mod.ts";
import { goldenModel } from "../../golden/model.ts";

const MODEL = await Deno.readFile("functions/_shared/model.onnx");
const model = await loadClassifier(MODEL);
const ship = await Deno.readFile("test/images/ship.jpg");
const dog = new Blob([await Deno.readFile("test/images/dog.jpg")]);

Deno.test("image-classification gives labels of one image, or a list of these", async () => {
  const classify = await pipeline("image-classification", model);
  const labels = await classify(ship);
  assertEquals(labels, await model.classify(ship));
  assertEquals(labels.length, 5);
  const [first, second] = await classify([ship, dog], { top_k: 2 });
  assertEquals(first, labels.slice(0, 2));
  assertEquals(second?.[0]?.label, "dog");
  assertEquals(await classify([ship]), [labels]);
});

Deno.test("image-classification gives all labels with top_k: null, or with more than there are", async () => {
  const classify = await pipeline("image-classification", model);
  const all = await classify(ship, { top_k: null });
  assertEquals(all.length, 10);
  assertEquals(await classify(ship, { top_k: 1000 }), all);
  await assertRejects(() => classify(ship, { top_k: 0 }), RangeError, "topK is 0");
});

Deno.test("image-feature-extraction gives the tokens of one image or several", async () => {
  const extract = await pipeline("image-feature-extraction", model);
  const tokens = await extract([ship, dog]);
  assert(tokens instanceof PipelineTensor);
  assertEquals([tokens.dims, tokens.type, tokens.size], [[2, 65, 192], "float32", 2 * 65 * 192]);
  assertEquals(tokens.data, (await model.embedTokens([ship, dog])).data);
  const [first] = tokens;
  const one = await extract(ship);
  assertEquals([one.dims, one.data], [[1, 65, 192], first!.data]);
  for (const pool of [false, null]) assertEquals((await extract(ship, { pool })).dims, one.dims);
});

Deno.test("image-feature-extraction pools to CLS or the mean", async () => {
  const extract = await pipeline("image-feature-extraction", model);
  for (const pool of [true, "cls", "mean"] as const) {
    const pooled = await extract(ship, { pool });
    assertEquals(pooled.dims, [1, 192]);
    const pooling = pool === true ? "cls" : pool;
    assertEquals(pooled.data, (await model.embed(ship, { pool: pooling })).data);
    assertEquals(rowsOf(pooled).length, 1); // it is a tensor of this library, too
  }
  const wrong = { pool: "max" as "mean" };
  await assertRejects(() => extract(ship, wrong), TypeError, "pool is max");
});

Deno.test("a pipeline takes a model, a promise of one, or a file's bytes", async () => {
  const expected = await model.classify(ship);
  for (const source of [model, loadClassifier(MODEL), MODEL, MODEL.slice().buffer]) {
    await using classify = await pipeline("image-classification", source);
    assertEquals(await classify(ship), expected);
    assertEquals(classify.task, "image-classification");
    assertEquals(classify.processor, classify.model.processor);
  }
});

Deno.test("dispose() ends the model that a pipeline opened, and leaves the caller's alone", async () => {
  const own = await pipeline("image-classification", MODEL);
  await own.dispose();
  await assertRejects(() => own(ship));
  const callers = await pipeline("image-classification", model);
  await callers.dispose();
  assertEquals((await callers(ship))[0]?.label, "ship");
});

Deno.test("a pipeline reads images as its options say, or as a call's", async () => {
  const fetch = () => Promise.resolve(new Response(ship));
  const options = { allowedHosts: ["a.test"], fetch, decode: "exact" } as const;
  const classify = await pipeline("image-classification", model, options);
  const exact = await model.classify(await decodeImage(ship, { decode: "exact" }));
  assertEquals(await classify("https://a.test/1.jpg"), exact);
  const standard = await model.classify(ship);
  assertEquals(await classify("https://a.test/1.jpg", { decode: "standard" }), standard);
  await assertRejects(() => classify("https://b.test/1.jpg"), TypeError, "allowedHosts has no");
  const extract = await pipeline("image-feature-extraction", model, options);
  assertEquals((await extract(["https://a.test/1.jpg"])).dims, [1, 65, 192]);
  const limits = { maxBytes: 10, maxPixels: 10, maxSide: 10 };
  await assertRejects(() => extract(ship, { limits }), Error, "more than 10");
});

Deno.test("a pipeline opens bytes with the options of loadModel", async () => {
  let isUsed = false;
  const runtime = {
    createSession(...args: Parameters<ReturnType<typeof simdRuntime>["createSession"]>) {
      isUsed = true;
      return simdRuntime().createSession(...args);
    },
  };
  await using classify = await pipeline("image-classification", MODEL, { runtime });
  assertEquals([(await classify(ship))[0]?.label, isUsed], ["ship", true]);
});

Deno.test("a pipeline downloads a model, with transformers.js' names of options", async () => {
  const seen: unknown[] = [];
  await using classify = await pipeline("image-classification", "https://a.test/model.onnx", {
    fetch: () => Promise.resolve(new Response(MODEL)),
    device: "wasm",
    progress_callback: (progress) => seen.push(progress),
  });
  assertEquals((await classify(ship))[0]?.label, "ship");
  const { length } = MODEL;
  assertEquals(seen.at(-1), {
    status: "progress",
    name: "https://a.test/model.onnx",
    file: "model.onnx",
    loaded: length,
    total: undefined,
    progress: undefined,
  });
  await using converted = await pipeline("image-feature-extraction", "test/golden/tiny", {
    dtype: "fp16",
  });
  assertEquals(converted.model.config.hiddenSize, 32);
});

for (
  const [what, make, words] of [
    [
      "an unknown task",
      () => pipeline("text-generation" as "image-classification", model),
      "there are image-classification, image-feature-extraction",
    ],
    [
      "an unknown option",
      () => pipeline("image-classification", MODEL, { local_files_only: true } as object),
      "it takes no option local_files_only; there are",
    ],
    [
      "a graphics card without its runtime",
      () => pipeline("image-classification", MODEL, { device: "webgpu" } as object),
      "pass the runtime onnxruntimeWebgpu()",
    ],
    [
      "an option of downloads for bytes",
      () => pipeline("image-classification", MODEL, { revision: "main" }),
      "it takes no option revision",
    ],
    [
      "an option for a model that runs already",
      () => pipeline("image-classification", model, { runtime: simdRuntime() }),
      "with runtime: it runs already",
    ],
  ] as [string, () => Promise<unknown>, string][]
) {
  Deno.test(`pipeline() refuses ${what}`, async () => {
    await assertRejects(make, TypeError, words);
  });
}

Deno.test("image-classification refuses a backbone, which image-feature-extraction takes", async () => {
  const backbone = await goldenModel("tiny_backbone", "f32");
  await assertRejects(() => pipeline("image-classification", backbone), TypeError, "a backbone");
  await using extract = await pipeline("image-feature-extraction", backbone);
  assertEquals(extract.model.defaultOutputs, ["last_hidden_state"]);
});
