import { assert, assertEquals } from "@std/assert";
import { resolve, toFileUrl } from "@std/path";
import { downloadModel } from "../../../src/hub/hub.ts";
import type { DownloadProgress } from "../../../src/hub/hub_options.ts";
import { ViTMSNForImageClassification, ViTMSNModel } from "../../../src/model/vit_msn_model.ts";
import type { ModelFile } from "../../../src/vit_msn/model_file.ts";
import { TempFolder } from "../../cli/run.ts";
import { goldenPath } from "../../golden/golden.ts";
import { goldenModel } from "../../golden/model.ts";
import { cutAfter, status } from "../../hub/hub_server.ts";
import { assertFails, assertTiny, serve, Setting } from "./setting.ts";

const WEIGHTS = "model.safetensors";

/** A runtime that only tells which file it is given. */
function recording(): { runtime: { createSession(file: ModelFile): never }; files: ModelFile[] } {
  const files: ModelFile[] = [];
  return {
    files,
    runtime: {
      createSession(file) {
        files.push(file);
        throw new Error("recorded");
      },
    },
  };
}

Deno.test("fromPretrained() downloads and converts a checkpoint once, as the command line does", async () => {
  await using setting = new Setting();
  const steps: DownloadProgress[] = [];
  await assertTiny(setting.load({ progress: (step) => void steps.push(step) }));
  assertEquals(setting.asked(), [
    "hub model.onnx",
    "hub config.json",
    `hub ${WEIGHTS}`,
    `cdn ${WEIGHTS}`,
    "hub preprocessor_config.json",
  ]);
  assertEquals(
    steps.filter(({ received, total }) => received === total).map(({ file }) => file),
    ["config.json", WEIGHTS],
  );
  assertEquals([...Deno.readDirSync(setting.cached)].map(({ name }) => name).toSorted(), [
    "config.json",
    "download.json",
    "model.onnx",
    WEIGHTS,
  ]);
  await assertTiny(setting.load());
  await assertTiny(setting.load({ dtype: "int8" }), 0.2);
  assert(Deno.statSync(`${setting.cached}/model_int8.onnx`).isFile);
  const name = { repo: "org/tiny", revision: "main" };
  await downloadModel(name, { cacheFolder: setting.cache.path, offline: true });
  assertEquals(setting.asked(), []);
});

Deno.test("fromPretrained() takes what the command line downloaded, without a request", async () => {
  await using setting = new Setting();
  const { endpoint } = setting.hub;
  await downloadModel({ repo: "org/tiny", revision: "main" }, {
    cacheFolder: setting.cache.path,
    endpoint,
  });
  setting.asked();
  await assertTiny(setting.load());
  assertEquals(setting.asked(), []);
});

Deno.test("fromPretrained() takes this project's ONNX file first, and needs no other file", async () => {
  await using setting = new Setting();
  serve(setting.hub, { "model.onnx": await goldenModel("tiny", "f32") });
  await assertTiny(setting.load());
  assertEquals(setting.asked(), ["hub model.onnx", "cdn model.onnx"]);
  await assertTiny(setting.load());
  assertEquals(setting.asked(), []);

  // More files come from the same commit, even if the branch has moved.
  serve(setting.hub, {
    ...Object.fromEntries(setting.hub.files),
    "config.json": "tiny/config.json",
  });
  await assertFails(
    setting.load({ dtype: "int8" }),
    "MissingFileError",
    "Cannot load the model org/tiny@main",
    "model_int8.onnx, model_quantized.onnx, onnx/model_int8.onnx, onnx/model_quantized.onnx",
  );
});

Deno.test("fromPretrained() takes files of the commit that it has already", async () => {
  await using setting = new Setting();
  const { hub } = setting;
  hub.next(`cdn ${WEIGHTS}`, status(404));
  await assertFails(setting.load(), "Error", "org/tiny@main");
  const urls: string[] = [];
  await assertTiny(setting.load({
    fetch: (url, init) => (urls.push(url.pathname), fetch(url, init)),
  }));
  assert(urls.includes(`/org/tiny/resolve/${hub.commit}/${WEIGHTS}`), urls.join());
  assert(!urls.some((path) => path.endsWith("/config.json")), urls.join());
});

Deno.test("fromPretrained() prefers a checkpoint to another tool's ONNX file", async () => {
  await using setting = new Setting();
  const files = { "config.json": "tiny/config.json", "model.onnx": "exports/model.onnx" };
  serve(setting.hub, { ...files, "pytorch_model.bin": "tiny/pytorch_model.bin" });
  await assertTiny(setting.load());
  await assertTiny(setting.load());
});

Deno.test("fromPretrained() takes the layout of transformers.js, which needs onnxruntime", async () => {
  await using setting = new Setting();
  const { runtime, files } = recording();
  const documents = {
    "config.json": "exports/config.json",
    "preprocessor_config.json": new TextEncoder().encode("{}"),
  };
  serve(setting.hub, { ...documents, "onnx/model_quantized.onnx": "exports/model_quantized.onnx" });
  await assertFails(setting.load({ runtime, dtype: "int8" }), "Error", "recorded");
  assertEquals(files[0]!.bytes, Deno.readFileSync(goldenPath("exports/model_quantized.onnx")));
  assertEquals(files[0]!.own, { reason: "another tool made it" });
  setting.asked();
  await assertFails(setting.load({ runtime, dtype: "int8" }), "Error", "recorded");
  assertEquals(setting.asked(), []);
  await assertFails(setting.load({ dtype: "int8" }), "TypeError", "another tool made it");
});

Deno.test("fromPretrained() takes a revision from the source or the options", async () => {
  await using setting = new Setting();
  await assertTiny(setting.load({ revision: "feature/x" }));
  await assertTiny(setting.load({}, "org/tiny@feature/x"));
  assert(Deno.statSync(`${setting.cache.path}/org--tiny/feature--x/model.onnx`).isFile);
  await assertFails(
    setting.load({ revision: "v2" }),
    "MissingFileError",
    "Cannot load the model org/tiny@v2: it does not exist, or has neither model.onnx",
  );
  await assertFails(
    setting.load({ revision: "v1" }, "org/tiny@v2"),
    "TypeError",
    "Cannot use revision: it is v1, but the source is org/tiny@v2",
  );
  await assertFails(setting.load({ revision: "../x" }), "TypeError", "../x is not a branch");
  await assertFails(
    setting.load({ revision: "v1" }, goldenPath("tiny")),
    "TypeError",
    "is not a repository of the hub",
  );
});

Deno.test("fromPretrained() tells a token to the hub only, and says when it needs one", async () => {
  await using setting = new Setting();
  setting.hub.token = "hf_token";
  await assertFails(
    setting.load(),
    "DownloadError",
    "model.onnx of org/tiny@main",
    "HTTP 401",
    "the option token",
  );
  for (const cache of [setting.cache.path, false] as const) {
    await assertTiny(setting.load({ token: "hf_token", cache }));
    const servers = setting.hub.received.map(({ server }) => server);
    assert(servers.includes("cdn"));
    for (const { server, authorization } of setting.hub.received.slice(1)) {
      assertEquals(authorization, server === "hub" ? "Bearer hf_token" : null);
    }
  }
});

Deno.test("fromPretrained() without a cache writes nothing", async () => {
  await using setting = new Setting();
  const steps: DownloadProgress[] = [];
  const size = setting.hub.files.get(WEIGHTS)!.length;
  const options = {
    cache: false,
    progress: (step: DownloadProgress) => void steps.push(step),
  } as const;
  await assertTiny(setting.load(options));
  assertEquals(steps.at(-1), { file: WEIGHTS, received: size, total: size });
  await assertTiny(setting.load(options));
  assertEquals(setting.asked().filter((file) => file === `cdn ${WEIGHTS}`).length, 2);
  assertEquals([...Deno.readDirSync(setting.cache.path)], []);
});

Deno.test("fromPretrained() refuses a corrupt file, with a cache and without", async () => {
  await using setting = new Setting();
  const corrupt = setting.hub.files.get(WEIGHTS)!.slice();
  corrupt[50_000]! ^= 1;
  for (const cache of [setting.cache.path, false] as const) {
    setting.hub.next(`cdn ${WEIGHTS}`, () => new Response(corrupt));
    await assertFails(
      setting.load({ cache }),
      "DownloadError",
      `Cannot download ${WEIGHTS} of org/tiny@main: it is corrupt`,
    );
    await assertTiny(setting.load({ cache }));
  }
});

Deno.test("fromPretrained() tries again where a connection is cut", async () => {
  await using setting = new Setting();
  for (const cache of [setting.cache.path, false] as const) {
    setting.hub.next(`cdn ${WEIGHTS}`, cutAfter(40_000, setting.hub.etag));
    await assertTiny(setting.load({ cache }));
  }
});

Deno.test("fromPretrained() ends when its signal says so", async () => {
  await using setting = new Setting();
  for (const cache of [setting.cache.path, false] as const) {
    const controller = new AbortController();
    setting.hub.next(`cdn ${WEIGHTS}`, () => {
      controller.abort(new Error("enough"));
      return new Response(new ReadableStream());
    });
    await assertFails(setting.load({ cache, signal: controller.signal }), "Error", "enough");
  }
  await assertTiny(setting.load()); // the lock is free
});

Deno.test("two fromPretrained() at a time download once", async () => {
  await using setting = new Setting();
  await Promise.all([assertTiny(setting.load()), assertTiny(setting.load())]);
  assertEquals(setting.asked().filter((file) => file === `cdn ${WEIGHTS}`).length, 1);
});

Deno.test("fromPretrained() says that the cache cannot be written", async () => {
  await using setting = new Setting();
  const cache = setting.cache.write("file", "");
  await assertFails(
    setting.load({ cache }),
    "Error",
    `Cannot write the cache folder ${cache}/org--tiny/main`,
    "a file is in its place",
    "set cache to false",
  );
});

Deno.test("fromPretrained() takes paths: a folder, weights, an ONNX file", async () => {
  await using setting = new Setting();
  using folder = new TempFolder();
  const onnx = folder.write("tiny.onnx", await goldenModel("tiny", "f32"));
  const plain = { cache: undefined } as never;
  for (const source of [goldenPath("tiny"), goldenPath("tiny/pytorch_model.bin"), onnx]) {
    await assertTiny(setting.load(plain, source));
    await assertTiny(setting.load(plain, toFileUrl(resolve(source))));
  }
  await assertTiny(setting.load({ dtype: "f16" }, goldenPath("tiny")), 0.01);
  const authors = await setting.load({}, goldenPath("tiny/msn.pth.tar"));
  assertEquals(authors instanceof ViTMSNForImageClassification, false);
  await authors[Symbol.asyncDispose]();
  assertEquals(setting.asked(), []);

  const { runtime, files } = recording();
  folder.write("js/onnx/model.onnx", Deno.readFileSync(goldenPath("exports/model.onnx")));
  folder.write("js/config.json", Deno.readFileSync(goldenPath("exports/config.json")));
  folder.write("js/preprocessor_config.json", "{}");
  await assertFails(setting.load({ runtime }, `${folder.path}/js`), "Error", "recorded");
  assertEquals(files.length, 1);

  await assertFails(setting.load({}, "./nowhere"), "MissingFileError", "no such file or folder");
  await assertFails(setting.load({}, `${folder.path}/x.onnx`), "MissingFileError", "x.onnx");
  await assertFails(setting.load({}, folder.path), "MissingFileError", "nor config.json with");
  await assertFails(setting.load({ dtype: "int8" }, onnx), "TypeError", "Cannot use dtype");
  await assertFails(setting.load({ dtype: "q4" as never }), "TypeError", "f32, f16, int8");
  folder.write("bad.onnx", "not a model");
  await assertFails(setting.load({}, `${folder.path}/bad.onnx`), "SyntaxError", "bad.onnx: ");
});

Deno.test("ViTMSNForImageClassification.fromPretrained() refuses a backbone", async () => {
  const path = goldenPath("tiny_backbone");
  await assertFails(
    ViTMSNForImageClassification.fromPretrained(path),
    "TypeError",
    "Cannot classify: the model is a backbone",
  );
  await using backbone = await ViTMSNModel.fromPretrained(path);
  await using classifier = await ViTMSNForImageClassification.fromPretrained(goldenPath("tiny"));
  assertEquals(backbone.defaultOutputs, ["last_hidden_state"]);
  assertEquals(classifier.config.id2label.length, 10);
});
