import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { readPytorch } from "../../src/checkpoint/pytorch.ts";
import { type Tensors, writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import { MissingFileError } from "../../src/hub/missing_file_error.ts";
import { readCheckpoint } from "../../src/hub/read_checkpoint.ts";
import { readMsnTraining } from "../../src/hub/read_msn_training.ts";
import { tensorsUnder } from "../../src/hub/tensors_under.ts";
import { type Tensor, tensorBytes } from "../../src/tensor/tensor.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import { toWeights } from "../../src/vit_msn/weights.ts";
import {
  dict,
  ORDERED_DICT,
  pickle,
  string,
  tensor as pickled,
} from "../checkpoint/pickle_text.ts";
import { zipFile } from "../checkpoint/zip_file.ts";
import { TempFolder } from "../cli/run.ts";
import { goldenPath, readGolden } from "../golden/golden.ts";

interface Digest {
  readonly shape: readonly number[];
  readonly weighted_sum: number;
}

const FILE = "msn_training/msn-latest.pth.tar";
const configText = Deno.readTextFileSync(goldenPath("msn_training/config.json"));
const state = readPytorch(Deno.readFileSync(goldenPath(FILE)));
const expected: {
  encoder: Record<string, Digest>;
  target_encoder: Record<string, Digest>;
  prototypes: Digest;
  epoch: number;
} = JSON.parse(Deno.readTextFileSync(goldenPath("msn_training/expected.json")));

function assertDigest(tensor: Tensor, { shape, weighted_sum }: Digest, name: string): void {
  assertEquals(tensor.shape, shape, name);
  const sum = [...tensor.data].reduce<number>((sum, x, i) => sum + Number(x) * (i + 1), 0);
  assertAlmostEquals(sum, weighted_sum, 1e-9 * Math.max(1, Math.abs(sum)), name);
}

/** The weights and the head against PyTorch's, none left out. */
function assertDigests(weights: Tensors, head: Tensors, digests: Record<string, Digest>): void {
  const all = new Map([...weights, ...[...head].map(([name, t]) => [`fc.${name}`, t] as const)]);
  assertEquals([...all.keys()], Object.keys(digests));
  for (const [name, digest] of Object.entries(digests)) assertDigest(all.get(name)!, digest, name);
}

const STORAGES: Readonly<Partial<Record<Tensor["dtype"], string>>> = {
  float32: "FloatStorage",
  int64: "LongStorage",
};

/** A file as `torch.save` writes it of nested dicts; the names are split at the first dot. */
function saved(tensors: Tensors, more: Readonly<Record<string, string>> = {}): Uint8Array {
  const parts = new Map<string, string[]>();
  const storages: [string, Uint8Array][] = [];
  const root: Record<string, string> = { ...more };
  for (const [name, tensor] of tensors) {
    const key = `${storages.length}`;
    storages.push([`archive/data/${key}`, tensorBytes(tensor)]);
    const { shape } = tensor;
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
    const type = STORAGES[tensor.dtype]!;
    const text = pickled({ type, key, length: tensor.data.length, shape, strides });
    const [, part, rest] = /^(encoder|target_encoder)\.(.+)$/.exec(name) ?? [];
    if (part === undefined) root[name] = text;
    else parts.set(part, [...parts.get(part) ?? [], string(rest!), text]);
  }
  for (const [part, items] of parts) root[part] = `${ORDERED_DICT}(${items.join("")}u`;
  return zipFile([["archive/data.pkl", pickle(dict(root))], ...storages]);
}

class Folder extends TempFolder {
  readonly file: string = `${this.path}/msn.pth.tar`;

  constructor(tensors: Tensors, more: Readonly<Record<string, string>> = {}) {
    super();
    this.write("config.json", configText);
    this.write("msn.pth.tar", saved(tensors, more));
  }
}

function filter(keep: (name: string) => boolean): Map<string, Tensor> {
  return new Map([...state].filter(([name]) => keep(name)));
}

const float32 = (...shape: number[]): Tensor => ({
  dtype: "float32",
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

Deno.test("readMsnTraining() gives PyTorch's encoders, heads, prototypes and epoch", async () => {
  // Otherwise the encoders could be confused.
  assertNotEquals(expected.encoder["norm.weight"], expected.target_encoder["norm.weight"]);
  for (const source of [FILE, "msn_training"]) {
    const training = await readMsnTraining(goldenPath(source));
    const { encoder, targetEncoder, encoderHead, targetHead, prototypes, epoch } = training;
    assertEquals(training.config, JSON.parse(configText));
    assertEquals(training.preprocessorConfig, undefined);
    assertDigests(encoder, encoderHead!, expected.encoder);
    assertDigests(targetEncoder, targetHead!, expected.target_encoder);
    assertDigest(prototypes!, expected.prototypes, "prototypes");
    assertEquals(epoch, expected.epoch);
  }
});

Deno.test("readMsnTraining() gives the weights that toWeights() and readCheckpoint() give", async () => {
  const { config, encoder, targetEncoder } = await readMsnTraining(goldenPath(FILE));
  const parsed = parseConfig(config);
  const weights = toWeights(targetEncoder, parsed);
  const { tensors } = await readCheckpoint(goldenPath(FILE));
  assertEquals([...tensors.keys()][0], "module.cls_token");
  assertEquals(toWeights(tensors, parsed), weights);
  assertEquals([...toWeights(encoder, parsed).keys()], [...weights.keys()]);
});

Deno.test("readMsnTraining() gives the same for a file of one process, without module.", async () => {
  const plain = new Map([...state].map(([name, t]) => [name.replace(".module.", "."), t]));
  using folder = new Folder(plain, { epoch: "K\x03" });
  assertEquals(await readMsnTraining(folder.file), await readMsnTraining(goldenPath(FILE)));
});

Deno.test("readMsnTraining() reads files without heads, batch norms, prototypes or epoch", async () => {
  const whole = await readMsnTraining(goldenPath(FILE));
  {
    using folder = new Folder(filter((name) => !/\bfc\.fc\d|\bbn\d|^prototypes/.test(name)));
    const { encoder, encoderHead, targetHead, prototypes, ...rest } = await readMsnTraining(
      folder.path,
    );
    assertEquals(encoder, whole.encoder);
    assertEquals([encoderHead, targetHead, prototypes], [undefined, undefined, undefined]);
    assert(!("epoch" in rest));
  }
  using folder = new Folder(filter((name) => !/\.bn\d\./.test(name)));
  const { encoderHead, prototypes } = await readMsnTraining(folder.path);
  assertEquals(
    [...encoderHead!.keys()],
    ["fc1", "fc2", "fc3"].flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]),
  );
  assertEquals(prototypes, whole.prototypes);
});

Deno.test("readMsnTraining() takes the target encoder for both in a file without encoder", async () => {
  const whole = await readMsnTraining(goldenPath(FILE));
  using folder = new Folder(filter((name) => !name.startsWith("encoder.")));
  const { encoder, targetEncoder, encoderHead, targetHead, prototypes } = await readMsnTraining(
    folder.path,
  );
  assertEquals(encoder, whole.targetEncoder);
  assertEquals(targetEncoder, whole.targetEncoder);
  assertEquals(encoderHead, whole.targetHead);
  assertEquals(targetHead, whole.targetHead);
  assertEquals(prototypes, whole.prototypes);
});

Deno.test("readMsnTraining() takes the weights of any other checkpoint for both", async () => {
  const tiny = readGolden("tiny/model.safetensors");
  for (const file of ["model.safetensors", "pytorch_model.bin"]) {
    const { encoder, targetEncoder, ...rest } = await readMsnTraining(goldenPath(`tiny/${file}`));
    assertEquals(encoder, tiny);
    assertEquals(targetEncoder, tiny);
    assertEquals([rest.encoderHead, rest.targetHead, rest.prototypes], [
      undefined,
      undefined,
      undefined,
    ]);
  }
  // A backbone's blocks have the prefix `encoder.`, as the authors' encoder has.
  const backbone = tensorsUnder("vit.", tiny);
  using folder = new TempFolder();
  folder.write("config.json", configText);
  const path = folder.write("model.safetensors", writeSafetensors(backbone));
  assertEquals((await readMsnTraining(path)).encoder, backbone);
});

const BOTH = ["encoder.module.", "target_encoder.module."];

for (
  const [what, changes, message] of [
    ["prototypes of one axis", { prototypes: float32(6) }, "prototypes is [6], not [K, P]"],
    ["no prototype", { prototypes: float32(0, 4) }, "prototypes is [0,4], which is empty"],
    [
      "prototypes of another width than the head's",
      { prototypes: float32(6, 5) },
      "prototypes is [6,5], but the head's output is 4 wide",
    ],
    [
      "prototypes of integers",
      { prototypes: { dtype: "int64", shape: [1, 4], data: new BigInt64Array(4) } },
      "prototypes is int64, not a floating-point type",
    ],
    [
      "a head for another encoder",
      { "@fc.fc1.weight": float32(8, 21) },
      "fc.fc1.weight is [8,21] and should be [8,20]",
    ],
    [
      "a head whose layers do not fit",
      { "@fc.fc2.weight": float32(7, 8), "@fc.fc3.weight": float32(4, 9) },
      "fc.fc2.weight is [7,8] and should be [8,8]; fc.fc3.weight is [4,9] and should be [4,8]",
    ],
    [
      "a batch norm of another width",
      { "@fc.bn1.running_mean": float32(7) },
      "fc.bn1.running_mean is [7] and should be [8]",
    ],
    [
      "half a batch norm",
      { "@fc.bn2.running_var": undefined },
      "fc.bn2.running_var is missing and should be [8]",
    ],
    [
      "a head without its first layer's weight",
      { "@fc.fc1.weight": undefined },
      "fc.fc1.weight is missing and should be [H,20]",
    ],
    ["a layer too many", { "@fc.fc4.bias": float32(3) }, "fc.fc4.bias [3] is unknown"],
    [
      "an encoder of another shape",
      { "encoder.module.norm.bias": float32(21) },
      "norm.bias is [21] in encoder and [20] in target_encoder",
    ],
    [
      "an encoder with a weight less",
      { "encoder.module.norm.bias": undefined },
      "norm.bias is missing in encoder and [20] in target_encoder",
    ],
    [
      "heads of different shapes",
      { "target_encoder.module.fc.fc3.bias": float32(5) },
      "fc.fc3.bias is [4] in encoder and [5] in target_encoder",
    ],
    [
      "a weight twice",
      { "encoder.norm.bias": float32(20) },
      "it has norm.bias both with and without module.",
    ],
  ] as const satisfies readonly (readonly [
    string,
    Readonly<Record<string, Tensor | undefined>>,
    string,
  ])[]
) {
  Deno.test(`readMsnTraining() refuses ${what}`, async () => {
    const tensors = new Map(state);
    for (const [name, tensor] of Object.entries(changes)) {
      const names = name.startsWith("@") ? BOTH.map((part) => part + name.slice(1)) : [name];
      for (const each of names) {
        if (tensor) tensors.set(each, tensor);
        else tensors.delete(each);
      }
    }
    using folder = new Folder(tensors);
    const error = await assertRejects(() => readMsnTraining(folder.path), SyntaxError);
    assert(
      error.message.startsWith(`Cannot go on pre-training from ${folder.file}: ${message}`),
      error.message,
    );
  });
}

Deno.test("readMsnTraining() refuses an epoch that is none, and lists only the first faults", async () => {
  for (const [epoch, text] of [["J\xff\xff\xff\xff", "-1"], ["G\x3f\xf8\0\0\0\0\0\0", "1.5"]]) {
    using folder = new Folder(state, { epoch: epoch! });
    await assertRejects(
      () => readMsnTraining(folder.path),
      SyntaxError,
      `${folder.file}: epoch is ${text}, not a number of epochs`,
    );
  }
  using folder = new Folder(filter((name) => !name.startsWith("encoder.module.fc.")));
  const error = await assertRejects(() => readMsnTraining(folder.path), SyntaxError);
  assert(error.message.endsWith("; and 6 more"), error.message);
});

Deno.test("readMsnTraining() names a file that is damaged or missing", async () => {
  using folder = new Folder(state);
  folder.write("msn.pth.tar", Deno.readFileSync(goldenPath(FILE)).subarray(0, 5000));
  await assertRejects(() => readMsnTraining(folder.path), SyntaxError, folder.file);
  Deno.removeSync(`${folder.path}/config.json`);
  await assertRejects(() => readMsnTraining(folder.path), MissingFileError, "config.json");
});
