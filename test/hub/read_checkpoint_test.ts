import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MissingFileError } from "../../src/hub/missing_file_error.ts";
import { readCheckpoint } from "../../src/hub/read_checkpoint.ts";
import { type Tensors, writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import { TempFolder } from "../cli/run.ts";
import { goldenPath, readGolden } from "../golden/golden.ts";
import { pickle, tensor } from "../checkpoint/pickle_text.ts";
import { zipFile } from "../checkpoint/zip_file.ts";

const golden = (name: string) => Deno.readFileSync(goldenPath(`tiny/${name}`));
const legacy = readGolden("tiny/model.safetensors");
const INDEX = "model.safetensors.index.json";

function part(from: number, to?: number): Tensors {
  return new Map([...legacy].slice(from, to));
}

/** The index of shards that hold these tensors. */
function indexOf(shards: Readonly<Record<string, Tensors>>): string {
  const entries = Object.entries(shards).flatMap(([file, tensors]) =>
    [...tensors.keys()].map((name) => [name, file] as const)
  );
  return JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(entries) });
}

async function fails(
  source: string,
  type: new (...args: never[]) => Error,
  ...parts: string[]
): Promise<void> {
  const { message } = await assertRejects(() => readCheckpoint(source), type);
  for (const part of parts) assertStringIncludes(message, part);
}

Deno.test("readCheckpoint() takes the first weights of a folder that are there", async () => {
  using folder = new TempFolder();
  const sizes: number[] = [];
  const add = async (name: string, content: Uint8Array | string) => {
    folder.write(name, content);
    sizes.push((await readCheckpoint(folder.path)).tensors.size);
  };
  folder.write("config.json", "{}");
  await add("msn.pth.tar", golden("msn.pth.tar"));
  await add("pytorch_model.bin", golden("pytorch_model.bin"));
  folder.write("a.safetensors", writeSafetensors(part(0, 3)));
  folder.write("b.safetensors", writeSafetensors(part(3, 7)));
  await add(INDEX, indexOf({ "a.safetensors": part(0, 3), "b.safetensors": part(3, 7) }));
  await add("model.safetensors", writeSafetensors(part(0, 1)));
  assertEquals(sizes, [31, 40, 7, 1]);
});

Deno.test("readCheckpoint() takes a weights file with its config beside it", async () => {
  const config = JSON.parse(Deno.readTextFileSync(goldenPath("tiny/config.json")));
  for (const file of ["model.safetensors", "pytorch_model.bin"]) {
    const checkpoint = await readCheckpoint(goldenPath(`tiny/${file}`));
    assertEquals(checkpoint, { config, preprocessorConfig: undefined, tensors: legacy });
  }
  using folder = new TempFolder();
  folder.write("config.json", "{}");
  folder.write("preprocessor_config.json", '{"size": 30}');
  const path = folder.write("weights.pth", golden("pytorch_model.bin"));
  const { preprocessorConfig, tensors } = await readCheckpoint(path);
  assertEquals(preprocessorConfig, { size: 30 });
  assertEquals(tensors, legacy);
});

Deno.test("readCheckpoint() takes only the target encoder of the authors' file", async () => {
  const { tensors } = await readCheckpoint(goldenPath("tiny/msn.pth.tar"));
  assertEquals([...tensors.keys()].every((name) => name.startsWith("module.")), true);
  assertEquals(
    tensors.get("module.pos_embed"),
    legacy.get("vit.embeddings.position_embeddings"),
  );
});

Deno.test("readCheckpoint() gives shards the same as the whole", async () => {
  using folder = new TempFolder();
  folder.write("config.json", "{}");
  const [a, b] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;
  folder.write(a, writeSafetensors(part(0, 20)));
  folder.write(b, writeSafetensors(part(20)));
  folder.write(INDEX, indexOf({ [a]: part(0, 20), [b]: part(20) }));
  assertEquals((await readCheckpoint(folder.path)).tensors, legacy);

  folder.write(INDEX, indexOf({ [a]: part(0, 21), [b]: part(21) }));
  const [missing] = part(20, 21).keys();
  await fails(folder.path, SyntaxError, a, missing!);
  Deno.removeSync(`${folder.path}/${b}`);
  folder.write(INDEX, indexOf({ [a]: part(0, 20), [b]: part(20) }));
  await fails(folder.path, MissingFileError, folder.path, `it has no ${b}`);
  folder.write(b, golden("model.f16.safetensors").subarray(0, 9000));
  await fails(folder.path, SyntaxError, `${b}: Cannot read the safetensors file`);
});

Deno.test("readCheckpoint() refuses shards outside of the folder, by name", async () => {
  using folder = new TempFolder();
  folder.write("model/config.json", "{}");
  folder.write("secret.safetensors", writeSafetensors(legacy));
  for (
    const shard of [
      "../secret.safetensors",
      "..",
      "x/../../secret.safetensors",
      "sub/a.safetensors",
      `${Deno.cwd()}/${folder.path}/secret.safetensors`,
      "..\\secret.safetensors",
      "C:secret.safetensors",
      ".safetensors",
      "a\0.safetensors",
      "config.json",
      "",
      7,
      null,
    ]
  ) {
    folder.write(`model/${INDEX}`, JSON.stringify({ weight_map: { x: shard } }));
    await fails(`${folder.path}/model`, SyntaxError, INDEX, JSON.stringify(shard));
  }
});

Deno.test("readCheckpoint() names the file that is missing, damaged or not clear", async () => {
  using folder = new TempFolder();
  const { path } = folder;
  await fails(`${path}/nowhere`, MissingFileError, `${path}/nowhere`, "no such folder or file");
  await fails(`${path}/a.bin/b`, MissingFileError, "no such folder or file");
  await fails(path, MissingFileError, path, "it has no config.json");
  folder.write("config.json", "{}");
  await fails(path, MissingFileError, path, "no model.safetensors, pytorch_model.bin or");
  await fails(folder.write("w.onnx", ""), TypeError, `${path}/w.onnx`, ".safetensors, .bin, .pth");
  const bin = folder.write("w.bin", golden("pytorch_model.bin").subarray(0, 5000));
  await fails(bin, SyntaxError, bin, "not a zip file, or it is cut off");
  folder.write("w.bin", zipFile([["a/data.pkl", pickle("cos\nsystem\n)R")]]));
  await fails(bin, SyntaxError, bin, '"os.system"');
  folder.write("w.bin", zipFile([["a/data.pkl", pickle(tensor({ shape: [], strides: [] }))]]));
  await fails(bin, SyntaxError, bin, 'no storage "0"');
  folder.write("a.pth.tar", "");
  await fails(path, SyntaxError, "a.pth.tar", "not a zip file");
  folder.write("b.pth.tar", "");
  await fails(path, TypeError, path, "a.pth.tar, b.pth.tar");
  for (
    const [index, message] of [["{", "not JSON"], ["[]", "no weight_map"], ["null", "no weig"]]
  ) {
    folder.write(INDEX, index!);
    await fails(path, SyntaxError, INDEX, message!);
  }
  folder.write("config.json", "{");
  await fails(path, SyntaxError, "config.json", "not JSON");
});
