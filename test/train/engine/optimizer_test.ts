import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Arena, sharedMemory } from "../../../src/runtime/simd/arena.ts";
import { instantiateTrain, trainModule } from "../../../src/train/engine/kernels.ts";
import { type AdamWStep, Optimizer } from "../../../src/train/engine/optimizer.ts";
import { Parameters } from "../../../src/train/engine/parameters.ts";
import { Threads } from "../../../src/train/engine/threads.ts";
import { ParameterVectors } from "../../../src/train/engine/vectors.ts";
import type { SimdBuild } from "../../../src/runtime/simd/kernels.ts";
import { numbers } from "./small_models.ts";

const BUILDS: readonly SimdBuild[] = ["relaxed", "plain"];
/** One tensor is larger than a segment. */
const SHAPES = new Map([["a", [3, 5]], ["large", [9, 8000]], ["c", [6]]]);
const EXTRA = new Map([["merged", [2, 3]]]);
const NAMES = [...SHAPES.keys()];

async function start(build: SimdBuild, { threads = 2, keepsAverage = true } = {}) {
  const module = trainModule(build);
  const memory = sharedMemory();
  const arena = new Arena(memory, instantiateTrain(module, memory).freeMemory());
  const parameters = new Parameters(SHAPES);
  const extra = new Parameters(EXTRA, parameters.size);
  const vectors = new ParameterVectors(arena, parameters, extra, { threads, keepsAverage });
  const optimizer = new Optimizer(arena, vectors);
  NAMES.forEach((name, i) => vectors.write("parameters", name, numbers(i, size(name))));
  for (let thread = 0; thread < threads; thread++) {
    for (const name of [...NAMES, ...EXTRA.keys()]) {
      const place = vectors.gradientOf(name, thread);
      arena.floats(place, size(name)).set(gradient(name, thread));
    }
  }
  const pool = await Threads.start(1, module, memory, { own: true });
  return { arena, vectors, optimizer, threads: pool };
}

function size(name: string): number {
  return (SHAPES.get(name) ?? EXTRA.get(name)!).reduce((a, b) => a * b);
}

/** A thread's gradient. */
function gradient(name: string, thread: number): Float32Array {
  return numbers(100 * thread + name.charCodeAt(0), size(name));
}

/** The sum of the first threads' gradients. */
function sum(name: string, threads: number): Float32Array {
  const total = gradient(name, 0);
  for (let thread = 1; thread < threads; thread++) {
    gradient(name, thread).forEach((x, i) => total[i]! += x);
  }
  return total;
}

function squares(data: Float32Array): number {
  return data.reduce((total, x) => total + x * x, 0);
}

const STEP: AdamWStep = {
  betas: [0.8, 0.9],
  eps: 1e-3,
  step: 1,
  clip: 0.25,
  groupOf: () => ({ learningRate: 0.1, weightDecay: 0.5 }),
};

for (const build of BUILDS) {
  Deno.test(`Optimizer, ${build}: reduce() adds up the threads that computed, and counts what is asked`, async () => {
    for (
      const [count, counts, counted] of [
        [2, undefined, NAMES],
        [1, undefined, NAMES],
        [2, (name: string) => name !== "large", ["a", "c"]],
        [2, () => false, []],
      ] as const
    ) {
      const { vectors, optimizer, threads } = await start(build);
      using _ = threads;
      const total = await optimizer.reduce(threads, count, counts);
      const wanted = counted.reduce((all, name) => all + squares(sum(name, count)), 0);
      assertAlmostEquals(total, wanted, 1e-6 * (1 + wanted));
      for (const name of NAMES) {
        assertEquals(vectors.read("gradients", name).data, sum(name, count), name);
      }
      // Extra tensors are added up; they are no parameters, and never count.
      assertEquals(vectors.extraGradient("merged")!.data, sum("merged", count));
    }
  });

  Deno.test(`Optimizer, ${build}: squaresOf() sums the named gradients alone, and changes none`, async () => {
    const { vectors, optimizer, threads } = await start(build);
    using _ = threads;
    for (const names of [["a"], ["large", "c"], NAMES, [], ["merged", "other"]]) {
      const wanted = names.filter((name) => SHAPES.has(name)).reduce(
        (all, name) => all + squares(gradient(name, 0)),
        0,
      );
      const total = await optimizer.squaresOf(threads, new Set(names));
      assertAlmostEquals(total, wanted, 1e-6 * (1 + wanted), names.join());
      for (const name of NAMES) {
        assertEquals(vectors.read("gradients", name).data, gradient(name, 0), name);
      }
    }
  });

  Deno.test(`Optimizer, ${build}: step() clips but for parameters that are not to be`, async () => {
    const { vectors, optimizer, threads } = await start(build);
    using _ = threads;
    await optimizer.step(threads, {
      ...STEP,
      emaDecay: 0.75,
      groupOf: (name) => ({
        learningRate: name === "large" ? 0.2 : 0.1,
        weightDecay: name === "a" ? 0 : 0.5,
        ...(name === "a" ? {} : { isClipped: name === "large" }),
      }),
    });
    NAMES.forEach((name, i) => {
      const clip = name === "c" ? 1 : 0.25;
      const learningRate = name === "large" ? 0.2 : 0.1, decay = name === "a" ? 0 : 0.5;
      const before = numbers(i, size(name)), g = gradient(name, 0).map((x) => x * clip);
      // The first step: both averages are corrected to g and g².
      const wanted = before.map((p, j) =>
        p - learningRate * decay * p - learningRate * g[j]! / (Math.abs(g[j]!) + STEP.eps)
      );
      const average = wanted.map((p) => 0.25 * p);
      assertNear(vectors.read("parameters", name).data, wanted, 1e-5, name);
      assertNear(vectors.read("exp_avg", name).data, g.map((x) => 0.2 * x), 1e-6, name);
      assertNear(vectors.read("exp_avg_sq", name).data, g.map((x) => 0.1 * x * x), 1e-6, name);
      assertNear(vectors.read("average", name).data, average, 1e-5, name);
      assertEquals(vectors.read("gradients", name).data, gradient(name, 0), name);
    });
  });

  Deno.test(`Optimizer, ${build}: step() without an average makes the same steps`, async () => {
    const [a, b] = await Promise.all(
      [true, false].map((keepsAverage) => start(build, { keepsAverage })),
    );
    using _a = a!.threads;
    using _b = b!.threads;
    for (let step = 1; step <= 3; step++) {
      for (const { optimizer, threads } of [a!, b!]) {
        await optimizer.step(threads, { ...STEP, step, emaDecay: 0.5 });
      }
    }
    for (const name of NAMES) {
      for (const vector of ["parameters", "exp_avg", "exp_avg_sq"] as const) {
        assertEquals(a!.vectors.read(vector, name), b!.vectors.read(vector, name));
      }
    }
  });

  Deno.test(`Optimizer, ${build}: an average without a decay is the parameters`, async () => {
    const { vectors, optimizer, threads } = await start(build);
    using _ = threads;
    await optimizer.step(threads, STEP);
    for (const name of NAMES) {
      assertEquals(vectors.read("average", name), vectors.read("parameters", name));
    }
  });
}

function assertNear(
  actual: Float32Array,
  wanted: Float32Array,
  tolerance: number,
  name: string,
): void {
  actual.forEach((x, i) => assertAlmostEquals(x, wanted[i]!, tolerance, `${name} [${i}]`));
}
