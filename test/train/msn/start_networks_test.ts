import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { newEncoder, newHead, newPrototypes } from "../../../src/train/msn/start_networks.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";
import { weightShapes } from "../../../src/vit_msn/weights.ts";

const CONFIG = parseConfig({
  model_type: "vit_msn",
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 128,
  image_size: 32,
  patch_size: 8,
});
const HEAD = { input: 64, hidden: 96, output: 32, usesBatchNorm: true };

function moments(data: Float32Array): { mean: number; deviation: number } {
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const variance = data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** Normal numbers of a deviation: as many within one and two deviations as there should be. */
function assertNormal(data: Float32Array, expected: number, name: string): void {
  const { mean, deviation } = moments(data);
  const error = expected / Math.sqrt(data.length);
  assertAlmostEquals(mean, 0, 5 * error, name);
  assertAlmostEquals(deviation, expected, 5 * error, name);
  for (const [within, share] of [[1, 0.6827], [2, 0.9545]] as const) {
    const inside = data.filter((x) => Math.abs(x) < within * expected).length / data.length;
    assertAlmostEquals(inside, share, 2.5 / Math.sqrt(data.length), `${name}, ${within}`);
  }
}

Deno.test("new encoders have all weights, in the model's shapes", () => {
  const shapes = [...newEncoder(CONFIG, 1)].map(([name, { shape }]) => [name, [...shape]]);
  const expected = [...weightShapes(CONFIG, { classifier: false })];
  assertEquals(shapes, expected.map(([name, shape]) => [name, [...shape]]));
});

Deno.test("new encoders: normal weights of 0.02, Kaiming's for patches, 0 and 1 elsewhere", () => {
  let normal = 0;
  for (const [name, { shape, data }] of newEncoder(CONFIG, 1)) {
    if (name.endsWith(".bias")) assert(data.every((x) => x === 0), name);
    else if (/layernorm.*\.weight$/.test(name)) assert(data.every((x) => x === 1), name);
    else if (shape.length === 4) assertNormal(data, Math.sqrt(2 / (3 * 8 * 8)), name);
    else {
      assertNormal(data, 0.02, name);
      normal++;
    }
  }
  // Six matrices a block, and CLS, positions and the mask.
  assert(normal >= 2 * 6 + 2, `${normal}`);
});

Deno.test("new heads: normal matrices of 0.02, biases of 0, a BatchNorm that changes nothing", () => {
  const head = newHead(HEAD, 1);
  for (const [name, { data }] of head) {
    if (name.endsWith(".bias")) assert(data.every((x) => x === 0), name);
    else if (name.startsWith("bn")) assert(data.every((x) => x === 1), name);
    else assertNormal(data, 0.02, name);
  }
  assertEquals([...head.keys()].filter((name) => name.startsWith("bn")).length, 4);
  const plain = newHead({ ...HEAD, usesBatchNorm: false }, 1);
  assertEquals([...plain.keys()].filter((name) => name.startsWith("bn")), []);
});

Deno.test("new prototypes are uniform within ±1/√output", () => {
  const { shape, data } = newPrototypes(500, 16, 1);
  assertEquals(shape, [500, 16]);
  const { mean, deviation } = moments(data);
  assertAlmostEquals(mean, 0, 0.01);
  assertAlmostEquals(deviation, 0.25 / Math.sqrt(3), 0.005);
  const largest = data.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  assert(largest <= 0.25 && largest > 0.249, `${largest}`);
});

Deno.test("new weights depend on the seed, and no two tensors share their numbers", () => {
  const all = (seed: number) =>
    new Map([
      ...newEncoder(CONFIG, seed),
      ...newHead(HEAD, seed),
      ["prototypes", newPrototypes(9, 32, seed)] as const,
    ]);
  assertEquals([...all(1)], [...all(1)]);
  const seen = new Set<number>();
  for (const seed of [1, 2]) {
    for (const [name, { data }] of all(seed)) {
      if (data.every((x) => x === data[0])) continue; // of 0 or 1
      assert(!seen.has(data[0]!), `${seed}, ${name}`);
      seen.add(data[0]!);
    }
  }
  assertNotEquals(newPrototypes(9, 32, 1), newPrototypes(9, 32, 2));
});
