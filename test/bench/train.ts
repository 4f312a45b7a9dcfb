// Steps of training side by side, on this project's engine and, where python3 has PyTorch, in PyTorch on one thread:
// deno task bench:train [--model embedded|small] [--quick] [--json]
//
// Random weights in the shapes of the embedded model, in batches of 64, and of vit-msn-small, in batches of 16.
// --model may be given several times, or several names with commas; default both. --quick is for one round, --json
// for an array of objects.

import { ArgumentError, readArguments, runBench } from "./support/arguments.ts";
import { readProcessor } from "./support/host/processor.ts";
import { timeTraining } from "./support/time_training.ts";
import { findTorch } from "./support/torch.ts";
import { TRAIN_SHAPES } from "./support/train_shape.ts";
import { toJson, toTable, type TrainRow } from "./support/train_table.ts";

type Model = keyof typeof TRAIN_SHAPES;
const MODELS = Object.keys(TRAIN_SHAPES) as Model[];
const ROUNDS: Readonly<Record<Model, number>> = { embedded: 9, small: 5 };

await runBench("bench:train", async () => {
  const { values, flags } = readArguments(Deno.args, ["model"], ["json", "quick"]);
  const unknown = values.model.find((name) => !MODELS.some((model) => model === name));
  if (unknown !== undefined) {
    throw new ArgumentError(`--model is ${unknown}, not one of ${MODELS.join(", ")}`);
  }
  const models = MODELS.filter((name) => values.model.length === 0 || values.model.includes(name));
  const roundsOf = (model: Model) => flags.quick ? 1 : ROUNDS[model];
  const torch = await findTorch();
  if ("reason" in torch) {
    console.error(
      `bench:train: PyTorch is left out: ${torch.reason}; on Debian or Ubuntu, install it with ` +
        "`apt install python3-torch libopenblas0`",
    );
  }
  const rows: TrainRow[] = [];
  for (const model of models) {
    const shape = TRAIN_SHAPES[model];
    rows.push(...await timeTraining(model, shape, roundsOf(model), "version" in torch));
  }
  if (flags.json) console.log(JSON.stringify(rows.map(toJson), null, 2));
  else {
    const { processor, vnni } = await readProcessor();
    const counts = models.map((model) => `${model} ${roundsOf(model)}`).join(", ");
    console.log(
      `Forward, backward, clipping and AdamW of a batch; medians of as many rounds: ${counts}. ` +
        "GFLOP/s are nominal: three forwards of what is computed; two with LoRA, whose frozen weights have no " +
        "gradients. last:2 begins at cached inputs. The kernel is the innermost one in f32, of the same build, " +
        "alone in the same rounds, times the threads. Memory is the engine's or, of PyTorch, what its process " +
        "took beyond PyTorch itself.",
    );
    console.log(`Processor: ${processor}; VNNI: ${vnni}.\n`);
    console.log(toTable(rows));
  }
});
