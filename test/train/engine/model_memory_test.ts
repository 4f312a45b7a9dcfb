import { assert, assertEquals } from "@std/assert";
import { Arena, sharedMemory } from "../../../src/runtime/simd/arena.ts";
import type { SimdBuild } from "../../../src/runtime/simd/kernels.ts";
import { toFloat16, toFloat32 } from "../../../src/tensor/float16.ts";
import { instantiateTrain, makeCalls, trainModule } from "../../../src/train/engine/kernels.ts";
import { dealBySize, putModel } from "../../../src/train/engine/model_memory.ts";
import type { SharedLinear } from "../../../src/train/engine/plan.ts";
import { smallModel } from "./small_models.ts";

const BUILDS: readonly SimdBuild[] = ["relaxed", "plain"];
const PANEL = 8;

function start(build: SimdBuild) {
  const memory = sharedMemory();
  const kernels = instantiateTrain(trainModule(build), memory);
  return { arena: new Arena(memory, kernels.freeMemory()), kernels };
}

/** A packed layer's weight, [outputs, inputs], for the forward; or the backward. */
function unpacked(arena: Arena, layer: SharedLinear, part: "forward" | "backward"): Float32Array {
  const { inputs, outputs } = layer;
  const [columns, depth] = part === "forward" ? [outputs, inputs] : [inputs, outputs];
  const panels = arena.floats(layer[part], Math.ceil(columns / PANEL) * PANEL * depth);
  return Float32Array.from({ length: outputs * inputs }, (_, i) => {
    const output = Math.floor(i / inputs), input = i % inputs;
    const [column, k] = part === "forward" ? [output, input] : [input, output];
    return panels[(Math.floor(column / PANEL) * depth + k) * PANEL + column % PANEL]!;
  });
}

function dataOf(weights: ReadonlyMap<string, Parameters<typeof toFloat32>[0]>, name: string) {
  return toFloat32(weights.get(name)!).data;
}

for (const build of BUILDS) {
  for (const isHalf of [false, true]) {
    const title = isHalf ? "float16" : "float32";
    Deno.test(`putModel(), ${build}: a ${title} model that stays is packed at once`, () => {
      const { config, weights } = smallModel();
      const given = isHalf
        ? new Map([...weights].map(([name, tensor]) => [name, toFloat16(tensor)]))
        : weights;
      const { arena, kernels } = start(build);
      const model = putModel(arena, kernels, config, given, {
        lowest: 2,
        changing: () => undefined,
      });
      assertEquals(model.repackCalls, []);
      assertEquals(model.linears.size, 3 * 6 + 2);
      for (const [name, layer] of model.linears) {
        const weight = dataOf(given, `${name}.weight`);
        assertEquals(layer.name, name);
        assertEquals(unpacked(arena, layer, "forward"), weight, name);
        assertEquals(
          arena.floats(layer.bias, layer.outputs).slice(),
          dataOf(given, `${name}.bias`),
        );
        // Gradients go below the blocks that learn, and below the classifier.
        const hasBackward = /^encoder\.layer\.2\.|^classifier$/.test(name);
        assertEquals(layer.backward !== 0, hasBackward, name);
        if (hasBackward) assertEquals(unpacked(arena, layer, "backward"), weight, name);
      }
      const others = [...given.keys()].filter((name) =>
        !model.linears.has(name.replace(/\.(weight|bias)$/, ""))
      );
      assertEquals([...model.vectors.keys()], others);
      for (const [name, place] of model.vectors) {
        const data = dataOf(given, name);
        assertEquals(arena.floats(place, data.length).slice(), data, name);
      }
    });
  }

  Deno.test(`putModel(), ${build}: what changes is packed by its calls, from where it is`, () => {
    const { config, weights } = smallModel({ qkv_bias: false });
    const { arena, kernels } = start(build);
    const places = new Map(
      [...weights].filter(([name]) => /^encoder\.layer\.1\.|^layernorm/.test(name))
        .map(([name, { data }]) => [name, arena.reserve(4 * data.length)]),
    );
    const model = putModel(arena, kernels, config, weights, {
      lowest: 1,
      changing: (name) => places.get(name),
    });
    for (const name of ["layernorm.weight", "encoder.layer.1.layernorm_before.bias"]) {
      assertEquals(model.vectors.get(name), places.get(name));
    }
    assertEquals(model.repackCalls.length, 6);
    const names = [...model.linears.keys()].filter((name) => name.startsWith("encoder.layer.1."));
    for (const factor of [1, 3]) {
      for (const [name, place] of places) {
        const data = dataOf(weights, name).map((x) => factor * x);
        arena.floats(place, data.length).set(data);
      }
      makeCalls(kernels, model.repackCalls.map(({ call }) => call));
      for (const [i, name] of names.entries()) {
        const layer = model.linears.get(name)!;
        const weight = dataOf(weights, `${name}.weight`).map((x) => factor * x);
        assertEquals(unpacked(arena, layer, "forward"), weight, name);
        assertEquals(unpacked(arena, layer, "backward"), weight, name);
        const bias = weights.has(`${name}.bias`)
          ? dataOf(weights, `${name}.bias`).map((x) => factor * x)
          : new Float32Array(layer.outputs);
        assertEquals(arena.floats(layer.bias, layer.outputs).slice(), bias, name);
        assertEquals(model.repackCalls[i]!.bytes, 4 * weight.length);
      }
    }
    // The others were packed before, and stay.
    const other = "encoder.layer.2.output.dense";
    const weight = dataOf(weights, `${other}.weight`);
    assertEquals(unpacked(arena, model.linears.get(other)!, "forward"), weight);
  });
}

Deno.test("dealBySize() deals out all calls, the largest first, to who has least", () => {
  const sizes = [5, 90, 10, 40, 35, 1, 20];
  const calls = sizes.map((bytes) => ({ bytes, call: ["clear", bytes, 0] as const }));
  const sizesOf = (threads: number) =>
    dealBySize(calls, threads).map((list) => list.map(([_, bytes]) => bytes as number));
  assertEquals(sizesOf(1), [[90, 40, 35, 20, 10, 5, 1]]);
  assertEquals(sizesOf(2), [[90, 10, 1], [40, 35, 20, 5]]);
  assertEquals(sizesOf(3).length, 3);
  const many = sizesOf(9);
  assert(many.every((list) => list.length <= 1));
  assertEquals(many.flat().toSorted((a, b) => a - b), sizes.toSorted((a, b) => a - b));
  assertEquals(dealBySize([], 2), [[], []]);
});
