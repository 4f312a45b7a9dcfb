import { loadModel, type ViTMSNModel } from "../../../src/mod.ts";
import {
  backendName,
  embedPixels,
  type Engine,
  engineName,
  enginesFor,
  tokensOf,
} from "./engines.ts";
import { KERNEL_OPERATIONS, kernelTask } from "./kernel_rate.ts";
import { medianTimes, type Task } from "./measure.ts";
import type { BenchModel } from "./models.ts";
import { flopsOf } from "../../../src/vit_msn/flops.ts";
import { peakMemory } from "./host/peak_memory.ts";
import type { Processor } from "./host/processor.ts";
import type { RuntimeRow } from "./runtime_table.ts";

/** How often models are made, and run with batches of one and of eight images. */
export interface Rounds {
  readonly create: number;
  readonly run: Readonly<Record<1 | 8, number>>;
}

/** Times a model on all engines that the host has; they take turns, and so do the kernels alone. */
export async function timeModel(
  name: string,
  model: BenchModel,
  rounds: Rounds,
  processor: Processor,
): Promise<RuntimeRow[]> {
  const { config, sidecars, fileOf, pixelsOf } = model;
  const engines = await enginesFor(model);
  const dtypes = new Set(engines.map(({ dtype }) => dtype));
  const files = new Map([...dtypes].map((dtype) => [dtype, fileOf(dtype)]));
  const load = ({ dtype, runtime }: Engine) =>
    loadModel(files.get(dtype)!, { ...sidecars, runtime });
  const createTimes = await medianTimes(tasksOf(engines, load), rounds.create);

  const rows: RuntimeRow[] = [];
  for (const batch of [1, 8] as const) {
    const pixels = pixelsOf(batch);
    const times = await withModels(engines, load, (models) =>
      medianTimes({
        ...tasksOf(engines, (engine) => embedPixels(models.get(engine)!, pixels, engine)),
        ...kernelTasks(engines),
      }, rounds.run[batch]));
    for (const engine of engines) {
      const { dtype, threads } = engine;
      const milliseconds = times[engineName(engine)]!;
      const rate = batch * flopsOf(config, tokensOf(config, engine)) / milliseconds;
      const kernelTime = times[kernelName(engine)];
      rows.push({
        ...processor,
        model: name,
        backend: await backendName(engine),
        dtype,
        threads,
        batch,
        milliseconds,
        gigaflops: rate / 1e6,
        kernelShare: kernelTime && rate / (threads * KERNEL_OPERATIONS / kernelTime),
        createMilliseconds: createTimes[engineName(engine)]!,
        peakMegabytes: await peakMemory(engine, files.get(dtype)!, sidecars, pixels.shape),
      });
    }
  }
  return rows;
}

/** Does something with a model for each engine, all ready at the same time. */
async function withModels<T>(
  engines: readonly Engine[],
  load: (engine: Engine) => Promise<ViTMSNModel>,
  use: (models: ReadonlyMap<Engine, ViTMSNModel>) => Promise<T>,
): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const models = new Map<Engine, ViTMSNModel>();
  for (const engine of engines) models.set(engine, stack.use(await load(engine)));
  return await use(models);
}

function tasksOf(
  engines: readonly Engine[],
  run: (engine: Engine) => unknown,
): Record<string, Task> {
  return Object.fromEntries(engines.map((engine) => [engineName(engine), () => run(engine)]));
}

/** The innermost kernels alone, of the precision of the weights. */
function kernelTasks(engines: readonly Engine[]): Record<string, Task> {
  return Object.fromEntries(engines.flatMap((engine) => {
    const { build, dtype } = engine;
    return build ? [[kernelName(engine), kernelTask(build, dtype)]] : [];
  }));
}

function kernelName({ build, dtype }: Engine): string {
  return `kernel ${build} ${dtype}`;
}
