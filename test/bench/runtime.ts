// The engines side by side, from pixel_values to last_hidden_state, one image at a time.
//
// Options: --model small|base|embedded (default all); --rounds N; --json; --memory, for which
// `deno task bench:memory` has the permissions.

import { parseArgs } from "@std/cli/parse-args";
import { loadModel, type ViTMSNModel } from "../../src/mod.ts";
import type { WeightDataType } from "../../src/vit_msn/precision.ts";
import { embedPixels, type Engine, engineName, ENGINES, tokensOf } from "./engines.ts";
import { KERNEL_OPERATIONS, kernelTask } from "./kernel_rate.ts";
import { medianTimes, type Task } from "./measure.ts";
import { type BenchModel, benchModel, MODEL_NAMES, type ModelName } from "./models.ts";
import { operationsOf } from "../../src/vit_msn/operations.ts";
import { peakMemory } from "./peak_memory.ts";
import { type RuntimeRow, toJson, toTable } from "./runtime_table.ts";

/** Of the larger models fewer, as a round takes seconds. */
const ROUNDS: Readonly<Record<ModelName, number>> = { embedded: 30, small: 20, base: 20 };
const CREATE_ROUNDS = 5;

const args = parseArgs(Deno.args, {
  string: ["model", "rounds"],
  boolean: ["json", "memory"],
  unknown: (arg: string) => {
    throw new RangeError(`Cannot run the benchmark: there is no ${arg}`);
  },
});
const names = MODEL_NAMES.filter((name) => args.model === undefined || args.model === name);
if (names.length === 0) {
  throw new RangeError(`Cannot time the model ${args.model}: there are ${MODEL_NAMES.join(", ")}`);
}

const rows: RuntimeRow[] = [];
const rounds = names.map((name) => Number(args.rounds ?? ROUNDS[name]));
for (const [i, name] of names.entries()) {
  rows.push(...await timeModel(name, await benchModel(name), rounds[i]!));
}
if (args.json) console.log(JSON.stringify(rows.map(toJson), null, 2));
else {
  const medians = names.map((name, i) => `${name} ${rounds[i]}`).join(", ");
  console.log(
    `pixel_values to last_hidden_state, one image at a time. Medians of as many rounds: ${medians}; ` +
      `of creating ${CREATE_ROUNDS}. Peak is the rate of the innermost kernel in the same rounds, ` +
      "of the precision of the weights, times the threads; attention and patches are f32 always.\n",
  );
  console.log(toTable(rows));
}

/** Times all engines with one model, and the kernels in the same rounds. */
async function timeModel(
  name: ModelName,
  model: BenchModel,
  rounds: number,
): Promise<RuntimeRow[]> {
  const dtypes = [...new Set(ENGINES.map(({ dtype }) => dtype))];
  const files = new Map(dtypes.map((dtype) => [dtype, model.fileOf(dtype)]));
  const load = ({ dtype, runtime }: Engine) => loadModel(files.get(dtype)!, { runtime });
  const createTimes = await medianTimes(tasksOf((engine) => () => load(engine)), CREATE_ROUNDS);

  await using stack = new AsyncDisposableStack();
  const models = new Map<Engine, ViTMSNModel>();
  for (const engine of ENGINES) models.set(engine, stack.use(await load(engine)));
  const times = await medianTimes({
    ...tasksOf((engine) => () => embedPixels(models.get(engine)!, model.pixels, engine)),
    ...Object.fromEntries(
      ENGINES.map(({ build, dtype }) => [kernelName(build, dtype), kernelTask(build, dtype)]),
    ),
  }, rounds);

  const rows: RuntimeRow[] = [];
  for (const [i, engine] of ENGINES.entries()) {
    const { build, dtype, threads } = engine;
    const milliseconds = times[engineName(engine)]!;
    const kernelRate = KERNEL_OPERATIONS / times[kernelName(build, dtype)]!;
    const rate = operationsOf(model.config, tokensOf(model.config, engine)) / milliseconds;
    rows.push({
      model: name,
      engine,
      milliseconds,
      gigaflops: rate / 1e6,
      share: rate / (kernelRate * threads),
      ratios: ENGINES.slice(0, 2).map((other) => milliseconds / times[engineName(other)]!),
      createMilliseconds: createTimes[engineName(engine)]!,
      peakMebibytes: args.memory ? await peakMemory(i, files.get(dtype)!, model.pixels) : undefined,
    });
  }
  return rows;
}

function tasksOf(taskOf: (engine: Engine) => Task): Record<string, Task> {
  return Object.fromEntries(ENGINES.map((engine) => [engineName(engine), taskOf(engine)]));
}

function kernelName(build: string, dtype: WeightDataType): string {
  return `kernel ${build} ${dtype}`;
}
