import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fit } from "../../src/cli/fit.ts";
import { convert } from "../../src/cli/convert.ts";
import { readModel } from "../../src/onnx/read_model.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { goldenPath, maxDifference, readGolden } from "../golden/golden.ts";
import { run, TempFolder } from "./run.ts";

const config = Deno.readTextFileSync(goldenPath("tiny/config.json"));
const weights = Deno.readFileSync(goldenPath("tiny/model.safetensors"));

Deno.test("convert keeps config, labels and image processor whole in one file", async () => {
  using folder = new TempFolder();
  const json = { ...JSON.parse(config), _name_or_path: "something of the owner's" };
  const processor = { size: { height: 30, width: 30 }, resample: 3, note: "kept" };
  folder.write("model/config.json", JSON.stringify(json, null, 1));
  folder.write("model/preprocessor_config.json", JSON.stringify(processor));
  folder.write("model/model.safetensors", weights);
  const out = `${folder.path}/model.onnx`;
  const args = [`${folder.path}/model`, "--out", out];
  assertEquals(await run(convert, args), {
    code: 0,
    stdout: `${out}: deno task classify photo.jpg --model ${out}\n`,
    stderr: "",
  });
  const model = readModel(Deno.readFileSync(out));
  assertEquals(JSON.parse(model.metadataProps.get("config.json")!), json);
  assertEquals(JSON.parse(model.metadataProps.get("preprocessor_config.json")!), processor);
  assertEquals(model.opsetImport, [{ domain: "", version: 17 }]);
  assertEquals(model.graph.inputs[0]?.shape, ["batch", 3, 30, 30]);
  assert(model.graph.initializers.has("encoder.layer.1.attention.attention.query.weight"));
  assertEquals([...Deno.readDirSync(folder.path)].length, 2); // nothing unfinished is left

  await run(convert, [...args, "--dtype", "f16"]);
  const half = readModel(Deno.readFileSync(out));
  assertEquals(half.graph.initializers.get("classifier.weight")?.dtype, "float16");
  assertEquals(half.graph.initializers.get("layernorm.weight")?.dtype, "float32");
});

Deno.test("convert takes ImageNet's statistics for a folder without an image processor", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/model.onnx`;
  await run(convert, [goldenPath("tiny"), "--out", out]);
  const { metadataProps } = readModel(Deno.readFileSync(out));
  assertEquals(JSON.parse(metadataProps.get("preprocessor_config.json")!), {
    size: { height: 30, width: 30 },
    image_mean: [0.485, 0.456, 0.406],
    image_std: [0.229, 0.224, 0.225],
  });
});

Deno.test("convert --image-size makes what interpolate_pos_encoding computes", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/model.onnx`;
  await run(convert, [goldenPath("tiny_interpolated"), "--out", out, "--image-size", "34x42"]);
  await using model = await loadModel(Deno.readFileSync(out));
  assertEquals(model.config.imageSize, [34, 42]);
  assertEquals(model.processor.config.size, { height: 34, width: 42 });
  const expected = readGolden("tiny_interpolated/expected.safetensors");
  const results = await model.forward({ pixel_values: expected.get("pixel_values")! });
  const [actual, reference] = [results, expected].map((all) =>
    all.get("logits")!.data as Float32Array
  );
  assert(maxDifference(actual!, reference!) < 1e-4);
});

Deno.test("convert --image-size keeps what the image processor cuts off", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/model.onnx`;
  folder.write("model/config.json", config);
  folder.write("model/model.safetensors", weights);
  const processor = { size: { shortest_edge: 36 }, do_center_crop: true, crop_size: 30 };
  const args = [`${folder.path}/model`, "--out", out, "--image-size", "60x60"];
  folder.write("model/preprocessor_config.json", JSON.stringify(processor));
  const { code, stderr } = await run(convert, args);
  assertEquals([code, stderr], [0, ""]);
  const { metadataProps } = readModel(Deno.readFileSync(out));
  const { size, crop_size } = JSON.parse(metadataProps.get("preprocessor_config.json")!);
  assertEquals([size, crop_size], [{ shortest_edge: 72 }, { height: 60, width: 60 }]);
  folder.write("model/preprocessor_config.json", "[1]");
  assertStringIncludes((await run(convert, args)).stderr, "not a JSON object");
});

Deno.test("convert --outputs chooses what the graph computes", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/model.onnx`;
  const args = [goldenPath("tiny"), "--out", out, "--outputs"];
  await run(convert, [...args, "attentions,logits"]);
  const { outputs } = readModel(Deno.readFileSync(out)).graph;
  assertEquals(outputs.map(({ name }) => name), ["attentions", "logits"]);
  assertEquals((await run(convert, [...args, "attention"])).code, 2);
  const backbone = [goldenPath("tiny_backbone"), "--out", out, "--outputs", "logits"];
  const { code, stderr } = await run(convert, backbone);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "backbone without a classifier");
});

Deno.test("convert refuses an image size that is none", async () => {
  using folder = new TempFolder();
  const args = [goldenPath("tiny"), "--out", `${folder.path}/x.onnx`, "--image-size"];
  for (const size of ["384", "0x30", "30x", "axb", "30x30x3", "30x4097"]) {
    assertEquals((await run(convert, [...args, size])).code, 2);
  }
  const small = await run(convert, [...args, "1x30"]); // a patch has 2 × 2
  assertEquals(small.code, 1);
  assertStringIncludes(small.stderr, "patch_size 2,2 is larger than image_size 1,30");
});

Deno.test("convert says so when a model cannot take images", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/model.onnx`;
  folder.write("model/config.json", config);
  folder.write("model/model.safetensors", weights);
  folder.write("model/preprocessor_config.json", '{"size": 224}');
  const mismatch = await run(convert, [`${folder.path}/model`, "--out", out]);
  assertEquals(mismatch.code, 0);
  assertStringIncludes(
    mismatch.stderr,
    "image_size is 30 × 30, but its image processor outputs 224 × 224",
  );
  const grey = await run(convert, [goldenPath("tiny_greyscale_no_qkv_bias"), "--out", out]);
  assertStringIncludes(grey.stderr, "it has 1 channels, but images have 3");
});

Deno.test("convert says what to do with the file", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/my model.onnx`;
  const next = async (source: string, ...more: string[]) =>
    (await run(convert, [goldenPath(source), "--out", out, ...more])).stdout;
  assertEquals(await next("tiny"), `${out}: deno task classify photo.jpg --model '${out}'\n`);
  const backbone = `deno task embed photo.jpg --model '${out}', or deno task fit PHOTOS --model`;
  assertStringIncludes(await next("tiny_backbone"), backbone);
  assertStringIncludes(await next("tiny", "--outputs", "last_hidden_state"), backbone);
  const tensors = "deno task forward --model";
  assertStringIncludes(await next("tiny_greyscale_no_qkv_bias"), tensors);
});

Deno.test("convert and fit overwrite what they made, and other files with --force only", async () => {
  using folder = new TempFolder();
  const path = (name: string) => `${folder.path}/${name}`;
  for (const [name, image] of [["a", "ship"], ["b", "dog"]]) {
    folder.write(`photos/${name}/1.jpg`, Deno.readFileSync(`test/images/${image}.jpg`));
  }
  const commands: Record<string, (out: string, ...more: string[]) => ReturnType<typeof run>> = {
    "deno task convert": (out, ...more) =>
      run(convert, [goldenPath("tiny_backbone"), "--out", out, ...more]),
    "deno task fit --out": (out, ...more) =>
      run(fit, [path("photos"), "--no-cache", "--out", out, ...more]),
    "deno task fit --head-only": (out, ...more) =>
      run(fit, [path("photos"), "--no-cache", "--head-only", out, ...more]),
  };
  folder.write("theirs", "a thesis");
  folder.write("other.onnx", Deno.readFileSync("test/golden/heads.safetensors"));
  folder.write("empty", "");
  for (const [i, [name, command]] of Object.entries(commands).entries()) {
    const own = path(`${i}.onnx`);
    for (let times = 0; times < 2; times++) assertEquals((await command(own)).code, 0);
    assertEquals((await command(path("empty"))).code, 0);
    Deno.truncateSync(path("empty"));
    const others = ["theirs", "other.onnx", ...(i > 0 ? [`${i - 1}.onnx`] : [])];
    for (const other of others) {
      const before = Deno.readFileSync(path(other));
      const { code, stderr, stdout } = await command(path(other));
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(
        stderr,
        `Cannot write ${
          path(other)
        }: a file exists that \`${name}\` did not make; choose another ` +
          "name, or add --force to overwrite it\n",
      );
      assertEquals(Deno.readFileSync(path(other)), before);
    }
    folder.write("forced", "a thesis");
    assertEquals((await command(path("forced"), "--force")).code, 0);
  }
});

Deno.test("convert fails with one line, and leaves an older file as it was", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/old.onnx`;
  await run(convert, [goldenPath("tiny_backbone"), "--out", out]);
  const old = Deno.readFileSync(out);
  const model = `${folder.path}/model`;
  const fails = async (args: string[], expected: number, message: string) => {
    const { code, stdout, stderr } = await run(convert, args);
    assertEquals([code, stdout], [expected, ""], stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
    assertStringIncludes(stderr, message);
    assertEquals(Deno.readFileSync(out), old);
  };
  await fails(["--out", out], 2, "expected one source, got 0");
  await fails([model], 2, "--out is missing");
  await fails(
    [model, "--out", out, "--dtype", "f64"],
    2,
    "--dtype is f64, not one of f32, f16, int8",
  );
  await fails([model, "--out", out], 1, "no such folder or file");
  folder.write("model/notes.txt", "");
  await fails([model, "--out", out], 1, "it has no config.json");
  folder.write("model/config.json", "{");
  await fails([model, "--out", out], 1, "config.json: it is not JSON");
  folder.write("model/config.json", config);
  await fails([model, "--out", out], 1, "it has no model.safetensors");
  folder.write("model/model.safetensors", weights.subarray(0, 50_000));
  await fails([model, "--out", out], 1, "model.safetensors: Cannot read the safetensors file");
  folder.write("model/model.safetensors", weights);
  folder.write("model/config.json", config.replace('"hidden_size": 32', '"hidden_size": 64'));
  await fails([model, "--out", out], 1, "embeddings.cls_token is [1,1,32] and should be [1,1,64]");
  folder.write("model/config.json", config);
  folder.write("model/preprocessor_config.json", '{"resample": 9}');
  await fails([model, "--out", out], 1, "resample is 9");
});

Deno.test("convert makes the same file of every format of the same weights", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/model.onnx`;
  const bytesOf = async (source: string) => {
    const { code, stderr } = await run(convert, [goldenPath(source), "--out", out]);
    assertEquals(code, 0, stderr);
    return Deno.readFileSync(out);
  };
  const expected = await bytesOf("tiny");
  assertEquals(await bytesOf("tiny/pytorch_model.bin"), expected);
  assertEquals(await bytesOf("tiny/model.newest_names.safetensors"), expected);
  await bytesOf("tiny/msn.pth.tar");
  assert(!readModel(Deno.readFileSync(out)).graph.initializers.has("classifier.weight"));
});
