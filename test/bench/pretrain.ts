// Steps of MSN pre-training with more and more of the anchors' patches dropped, beside the tokens of an image:
// deno task bench:pretrain [--model embedded|small] [--threads N] [--quick] [--json]
//
// New weights in the shapes of the embedded model, in batches of 64, and of vit-msn-small, in batches of 8. --model
// and --threads may be given several times, or several values with commas; default both models, one thread. --quick
// is for one round, --json for an array of objects.

import { ArgumentError, readArguments, runBench } from "./support/arguments.ts";
import { readProcessor } from "./support/host/processor.ts";
import { type PretrainRow, toJson, toTable } from "./support/pretrain_table.ts";
import { PRETRAIN_SHAPES, timePretraining } from "./support/time_pretraining.ts";

type Model = keyof typeof PRETRAIN_SHAPES;
const MODELS = Object.keys(PRETRAIN_SHAPES) as Model[];
const ROUNDS: Readonly<Record<Model, number>> = { embedded: 7, small: 3 };
const MAX_THREADS = 64;

await runBench("bench:pretrain", async () => {
  const { values, flags } = readArguments(Deno.args, ["model", "threads"], ["json", "quick"]);
  const unknown = values.model.find((name) => !MODELS.some((model) => model === name));
  if (unknown !== undefined) {
    throw new ArgumentError(`--model is ${unknown}, not one of ${MODELS.join(", ")}`);
  }
  const wrong = values.threads.find((text) => !/^\d+$/.test(text) || !isThreads(Number(text)));
  if (wrong !== undefined) {
    throw new ArgumentError(`--threads is ${wrong}, not a whole number from 1 to ${MAX_THREADS}`);
  }
  const models = MODELS.filter((name) => values.model.length === 0 || values.model.includes(name));
  const threads = values.threads.length === 0 ? [1] : values.threads.map(Number);
  const roundsOf = (model: Model) => flags.quick ? 1 : ROUNDS[model];
  const rows: PretrainRow[] = [];
  for (const model of models) {
    for (const count of threads) {
      rows.push(...await timePretraining(model, PRETRAIN_SHAPES[model], count, roundsOf(model)));
    }
  }
  if (flags.json) console.log(JSON.stringify(rows.map(toJson), null, 2));
  else {
    const { processor, vnni } = await readProcessor();
    const counts = models.map((model) => `${model} ${roundsOf(model)}`).join(", ");
    console.log(
      `Forward, backward, clipping, AdamW and the moving average of a batch; medians of as many rounds: ${counts}. ` +
        "Tokens are those of an image that go through a block: the target's once, forward; the anchors' three " +
        "times, forward and backward. The prediction is the images/s of the same model's first row, by the tokens. " +
        "Memory is the engine's.",
    );
    console.log(`Processor: ${processor}; VNNI: ${vnni}.\n`);
    console.log(toTable(rows));
  }
});

function isThreads(count: number): boolean {
  return count >= 1 && count <= MAX_THREADS;
}
