import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { classify } from "../../../src/cli/classify.ts";
import { embed } from "../../../src/cli/embed.ts";
import { GraphBuilder } from "../../../src/onnx/graph_builder.ts";
import { readModel } from "../../../src/onnx/read_model.ts";
import { writeModel } from "../../../src/onnx/write_model.ts";
import { run, TempFolder } from "../run.ts";

const ship = "test/images/ship.jpg";

/** The embedded model as another tool would have made it: without metadata, with logits alone. */
function foreignModel() {
  const model = readModel(Deno.readFileSync("functions/_shared/model.onnx"));
  const outputs = model.graph.outputs.filter(({ name }) => name === "logits");
  return {
    onnx: concat(
      writeModel({ ...model, metadataProps: new Map(), graph: { ...model.graph, outputs } }),
    ),
    config: model.metadataProps.get("config.json")!,
    processor: model.metadataProps.get("preprocessor_config.json")!,
  };
}

Deno.test("--model takes folders in the layout of optimum and transformers.js, --dtype a file", async () => {
  using folder = new TempFolder();
  const { onnx, config, processor } = foreignModel();
  const model = `${folder.path}/model`;
  folder.write("model/onnx/model_quantized.onnx", onnx);
  folder.write("model/config.json", config);
  folder.write("model/preprocessor_config.json", processor);
  const args = [ship, "--json", "--top-k", "1", "--model"];
  const expected = await run(classify, [ship, "--json", "--top-k", "1", "--backend", "wasm"]);
  assertEquals(await run(classify, [...args, model, "--dtype", "int8"]), expected);
  assertEquals(await run(classify, [...args, `${model}/onnx/model_quantized.onnx`]), expected);

  const missing = await run(classify, [...args, model]);
  assertEquals(missing.code, 1);
  assertStringIncludes(missing.stderr, "found none of onnx/model.onnx, model.onnx");
  folder.write("model/model.onnx", onnx);
  assertEquals(await run(classify, [...args, model]), expected);
});

Deno.test("a model of another tool computes what its graph does, and says so of the rest", async () => {
  using folder = new TempFolder();
  const { onnx, config, processor } = foreignModel();
  const path = folder.write("model.onnx", onnx);
  const bare = await run(classify, [ship, "--model", path]);
  assertEquals(bare.code, 1);
  assertStringIncludes(bare.stderr, "it carries no config.json, and none is beside it");
  folder.write("config.json", config);
  assertStringIncludes(
    (await run(classify, [ship, "--model", path])).stderr,
    "no preprocessor_config",
  );
  folder.write("preprocessor_config.json", processor);
  assertEquals((await run(classify, [ship, "--model", path])).code, 0);
  const embedding = await run(embed, [ship, "--model", path]);
  assertEquals(embedding.code, 1);
  assertStringIncludes(embedding.stderr, "another tool made it");
  folder.write("config.json", "{");
  assertStringIncludes((await run(classify, [ship, "--model", path])).stderr, "it is not JSON");
});

Deno.test("a file whose graph makes 1.6 GB of nothing is refused, and takes no memory", async () => {
  using folder = new TempFolder();
  const model = readModel(Deno.readFileSync("functions/_shared/model.onnx"));
  const graph = new GraphBuilder("hostile");
  const pixels = graph.input("pixel_values", "float32", ["batch", 3, 32, 32]);
  const zeros = graph.node("ConstantOfShape", [graph.ints([20_000, 20_000])]);
  const sum = graph.node("ReduceSum", [zeros], { keepdims: 0 });
  const largest = graph.node("ReduceMax", [pixels], { axes: [1, 2, 3], keepdims: 0 });
  graph.output("logits", "float32", ["batch"], graph.node("Add", [largest, sum]));
  const path = folder.write(
    "model.onnx",
    concat(writeModel({ ...model, metadataProps: new Map(), graph: graph.build() })),
  );
  folder.write("config.json", model.metadataProps.get("config.json")!);
  folder.write("preprocessor_config.json", model.metadataProps.get("preprocessor_config.json")!);
  const before = Deno.memoryUsage().rss;
  for (const backend of [[], ["--backend", "wasm"]]) {
    const { code, stderr } = await run(classify, [ship, "--model", path, ...backend]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "ConstantOfShape");
    assertStringIncludes(stderr, "with [20000,20000], the graph has more than");
  }
  assert(Deno.memoryUsage().rss - before < 200e6);
});

Deno.test("--dtype is refused where there is no choice", async () => {
  for (const model of [[], ["--model", "functions/_shared/model.onnx"]]) {
    const { code, stderr } = await run(classify, [ship, "--dtype", "int8", ...model]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "a single file with a fixed dtype");
  }
});
