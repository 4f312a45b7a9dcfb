import { clipFactor } from "../../../src/train/clip.ts";
import type { MsnBatch } from "../../../src/train/msn/engine/msn_batch.ts";
import { MsnEngine } from "../../../src/train/msn/engine/msn_engine.ts";
import { decideMsnSettings, type MsnSettings } from "../../../src/train/msn/msn_settings.ts";
import { newEncoder, newHead, newPrototypes } from "../../../src/train/msn/start_networks.ts";
import { uniform } from "../../random.ts";
import { medianTimes, type Task } from "./measure.ts";
import type { PretrainRow } from "./pretrain_table.ts";
import { configOf, TRAIN_SHAPES, type TrainShape } from "./train_shape.ts";

/** The shapes by the names of their models. */
export const PRETRAIN_SHAPES = {
  embedded: TRAIN_SHAPES.embedded,
  small: { ...TRAIN_SHAPES.small, batch: 8 },
} as const satisfies Record<string, TrainShape>;

/** The shares of patches that random anchors lose, and the focal views: the first of each is the base. */
const PATCH_DROPS = [0, 0.25, 0.5, 0.7] as const;
const FOCAL_VIEWS = [2, 0] as const;
/** Images of the set: as with most sets, the number of prototypes is the least. */
const IMAGES = 10_000;
const SEED = 0;
/** How often a token of an anchor goes through a block, by the target's once: forward, and backward twice that. */
const ANCHOR_WEIGHT = 3;

/**
 * Times steps of MSN pre-training: forward, backward, clipping, AdamW and the moving average. All ways to make views
 * take turns.
 */
export async function timePretraining(
  model: string,
  shape: TrainShape,
  threads: number,
  rounds: number,
): Promise<PretrainRow[]> {
  using engines = new DisposableStack();
  const tasks: Record<string, Task> = {};
  const ways = FOCAL_VIEWS.flatMap((focalViews) =>
    PATCH_DROPS.map((patchDrop) => ({
      name: `${focalViews} ${patchDrop}`,
      focalViews,
      patchDrop,
      settings: settingsOf(shape, focalViews, patchDrop),
    }))
  );
  const memory = new Map<string, number>();
  for (const { name, settings } of ways) {
    const engine = engines.use(await startEngine(shape, settings, threads));
    tasks[name] = stepTask(engine, settings);
    memory.set(name, engine.memoryBytes);
  }
  const times = await medianTimes(tasks, rounds);
  const base = times[ways[0]!.name]! / tokensOfViews(shape, ways[0]!.settings);
  return ways.map(({ name, focalViews, patchDrop, settings }) => {
    const tokens = tokensOfViews(shape, settings);
    const milliseconds = times[name]!;
    return {
      model,
      threads,
      batch: shape.batch,
      focalViews,
      patchDrop,
      tokens,
      milliseconds,
      ofPrediction: base * tokens / milliseconds,
      megabytes: memory.get(name)! / 1e6,
    };
  });
}

/** The tokens of an image's views, those of anchors three times. */
export function tokensOfViews(
  { patch_size }: TrainShape,
  { data }: Pick<MsnSettings, "data">,
): number {
  const focal = 1 + (data.focal_size / patch_size) ** 2;
  const anchors = data.rand_views * (1 + keptPatches(patch_size, data)) + data.focal_views * focal;
  return 1 + patchesOf(patch_size, data) + ANCHOR_WEIGHT * anchors;
}

/** The defaults of the command, but for the views. */
function settingsOf(shape: TrainShape, focalViews: number, patchDrop: number): MsnSettings {
  const views = { focal_views: focalViews, patch_drop: patchDrop };
  return decideMsnSettings({ criterion: { batch_size: shape.batch }, data: views }, {
    images: IMAGES,
    imageSize: shape.image_size,
    patchSize: shape.patch_size,
    hiddenSize: shape.hidden_size,
    isFromScratch: true,
  });
}

async function startEngine(
  shape: TrainShape,
  { criterion, data, meta }: MsnSettings,
  threads: number,
): Promise<MsnEngine> {
  const config = configOf(shape);
  const head = {
    input: config.hiddenSize,
    hidden: meta.hidden_dim,
    output: meta.output_dim,
    usesBatchNorm: meta.use_bn,
  };
  const network = { encoder: newEncoder(config, SEED), head: newHead(head, SEED) };
  const prototypes = newPrototypes(criterion.num_proto, meta.output_dim, SEED);
  return await MsnEngine.start(config, network, network, prototypes, {
    batchSize: criterion.batch_size,
    randomViews: data.rand_views,
    focalViews: data.focal_views,
    randomSize: [data.rand_size, data.rand_size],
    focalSize: [data.focal_size, data.focal_size],
    keptPatches: keptPatches(shape.patch_size, data),
    usesBatchNorm: meta.use_bn,
    threads,
  });
}

/** A step on the same views again and again. */
function stepTask(engine: MsnEngine, { criterion, data, optimization }: MsnSettings): Task {
  const { batch_size: B } = criterion;
  const views = (count: number, size: number) => noise(count * B * 3 * size ** 2);
  // Which patches go on does not change the time, so that the engine's default will do.
  const batch: MsnBatch = {
    target: views(1, data.rand_size),
    random: views(data.rand_views, data.rand_size),
    focal: views(data.focal_views, data.focal_size),
  };
  const objective = {
    temperature: criterion.temperature,
    sharpen: criterion.start_sharpen,
    sinkhornIterations: criterion.sinkhorn_iterations,
    labelSmoothing: data.label_smoothing,
    meMaxWeight: criterion.memax_weight,
    entropyWeight: criterion.ent_weight,
  };
  const group = {
    learningRate: optimization.start_lr,
    weightDecay: optimization.weight_decay,
  };
  let step = 0;
  return async () => {
    const { norm } = await engine.gradients(batch, objective);
    await engine.step({
      betas: [0.9, 0.999],
      eps: 1e-8,
      step: ++step,
      clip: clipFactor(norm, optimization.clip_grad),
      emaDecay: optimization.start_momentum,
      groupOf: () => group,
    });
  };
}

/** N, the patches of a target or random view. */
function patchesOf(patchSize: number, { rand_size }: MsnSettings["data"]): number {
  return (rand_size / patchSize) ** 2;
}

function keptPatches(patchSize: number, data: MsnSettings["data"]): number {
  return Math.floor(patchesOf(patchSize, data) * (1 - data.patch_drop));
}

/** Pixels of noise between -2 and 2. */
function noise(length: number): Float32Array {
  const random = uniform(2);
  return Float32Array.from({ length }, () => 4 * random() - 2);
}
