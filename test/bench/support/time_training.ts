import type { SimdBuild } from "../../../src/runtime/simd/kernels.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { clipFactor } from "../../../src/train/clip.ts";
import { TrainingEngine } from "../../../src/train/engine/engine.ts";
import { labelTargets } from "../../../src/train/finetune/targets.ts";
import type { TuneMode } from "../../../src/train/tune.ts";
import { uniform } from "../../random.ts";
import { randomWeights } from "../../vit_msn/random_weights.ts";
import { KERNEL_OPERATIONS, kernelTask } from "./kernel_rate.ts";
import { medianTimes, type Task } from "./measure.ts";
import { noiseOf } from "./models.ts";
import { startTorch } from "./torch.ts";
import { configOf, tokensOf, trainingFlops, type TrainShape } from "./train_shape.ts";
import type { TrainRow } from "./train_table.ts";

/** How much of a model trains; the last blocks from cached inputs. */
const TUNES: Readonly<Record<string, TuneMode>> = {
  "all": { kind: "all" },
  "last:2": { kind: "last", blocks: 2 },
  "lora:8": { kind: "lora", rank: 8, alpha: 16 },
};
const ENGINES: readonly { readonly build: SimdBuild; readonly threads: number }[] = [
  { build: "relaxed", threads: 1 },
  { build: "relaxed", threads: 2 },
  { build: "plain", threads: 1 },
  { build: "plain", threads: 2 },
];
const TORCH = "PyTorch";
const KERNEL_CALLS = 5;

/**
 * Times steps of training: forward, backward, clipping and AdamW. The engines, PyTorch and the innermost f32 kernels
 * take turns.
 *
 * @param torch whether Python has PyTorch.
 */
export async function timeTraining(
  model: string,
  shape: TrainShape,
  rounds: number,
  torch: boolean,
): Promise<TrainRow[]> {
  const rows: TrainRow[] = [];
  const { batch } = shape;
  const kernels = {
    "kernel relaxed": optimized(kernelTask("relaxed", "f32")),
    "kernel plain": optimized(kernelTask("plain", "f32")),
  };
  for (const [tuned, tune] of Object.entries(TUNES)) {
    using engines = new DisposableStack();
    const started = new Map<string, TrainingEngine>();
    const tasks: Record<string, Task> = { ...kernels };
    for (const { build, threads } of ENGINES) {
      const engine = engines.use(await startEngine(shape, tune, build, threads));
      started.set(`${build} ${threads}`, engine);
      tasks[`${build} ${threads}`] = stepTask(engine, shape);
    }
    await using peer = torch ? await startTorch(shape, tuned) : undefined;
    if (peer) tasks[TORCH] = () => peer.step();
    const times = await medianTimes(tasks, rounds);
    const flops = batch * trainingFlops(shape, tune);
    const rowOf = (name: string) => ({
      model,
      tune: tuned,
      batch,
      milliseconds: times[name]!,
      gigaflops: flops / times[name]! / 1e6,
    });
    for (const { build, threads } of ENGINES) {
      const name = `${build} ${threads}`;
      const row = rowOf(name);
      const kernel = threads * KERNEL_OPERATIONS / times[`kernel ${build}`]! / 1e6;
      rows.push({
        ...row,
        engine: build,
        threads,
        kernelShare: row.gigaflops / kernel,
        speedup: peer && times[TORCH]! / row.milliseconds,
        megabytes: started.get(name)!.memoryBytes / 1e6,
      });
    }
    if (peer) {
      rows.push({
        ...rowOf(TORCH),
        engine: `${TORCH} ${peer.version}`,
        threads: 1,
        kernelShare: undefined,
        speedup: 1,
        megabytes: peer.megabytes || undefined,
      });
    }
  }
  return rows;
}

/** The task after the calls that V8 takes to optimize it: a single round is not enough. */
function optimized(task: Task): Task {
  for (let i = 0; i < KERNEL_CALLS; i++) task();
  return task;
}

async function startEngine(
  shape: TrainShape,
  tune: TuneMode,
  build: SimdBuild,
  threads: number,
): Promise<TrainingEngine> {
  const config = configOf(shape);
  const weights = new Map<string, Tensor>();
  // Matrices are small enough that activations stay as large as in a trained model.
  for (const [name, tensor] of randomWeights(config)) {
    const isMatrix = tensor.shape.length > 1;
    const data = (tensor.data as Float32Array).map((x) => isMatrix ? 0.15 * x : x);
    weights.set(name, { ...tensor, data });
  }
  const fromInputs = tune.kind === "last";
  return await TrainingEngine.start(config, weights, {
    tune,
    batchSize: shape.batch,
    threads,
    build,
    fromInputs,
  });
}

/** A step on the same images, or inputs, again and again. */
function stepTask(engine: TrainingEngine, shape: TrainShape): Task {
  const { batch, classes, hidden_size } = shape;
  const random = uniform(3);
  const batchOf = engine.tune.kind === "last"
    ? {
      inputs: Float32Array.from(
        { length: batch * tokensOf(shape) * hidden_size },
        () => 4 * random() - 2,
      ),
    }
    : { pixelValues: noiseOf(engine.config, batch).data };
  const labels = Array.from({ length: batch }, (_, i) => i % classes);
  const targets = labelTargets(labels, classes);
  const group = { learningRate: 1e-4, weightDecay: 0.05 };
  let step = 0;
  return async () => {
    const { norm } = await engine.gradients(
      { images: batch, ...batchOf },
      { loss: "cross_entropy", targets },
    );
    await engine.step({
      betas: [0.9, 0.999],
      eps: 1e-8,
      step: ++step,
      clip: clipFactor(norm, 1),
      groupOf: () => group,
    });
  };
}
