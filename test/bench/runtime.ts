// All engines side by side, from pixel_values to last_hidden_state, in one table:
// deno task bench [--model embedded|small|base|F.onnx] [--quick] [--json]
//
// --model may be given several times, or several names with commas; default all three.
// F.onnx is a file of this project or of another tool, which only onnxruntime-web runs. --quick is for fewer
// rounds, --json for an array of objects.

import { readProcessor } from "./support/host/processor.ts";
import { ArgumentError, readArguments, runBench } from "./support/arguments.ts";
import { modelOfFile } from "./support/model_of_file.ts";
import { type BenchModel, benchModel, MODEL_NAMES, type ModelName } from "./support/models.ts";
import { type RuntimeRow, toJson, toTable } from "./support/runtime_table.ts";
import { type Rounds, timeModel } from "./support/time_model.ts";

/** Of the larger models fewer, as a round takes up to a minute. */
const ROUNDS: Readonly<Record<ModelName, Rounds>> = {
  embedded: { create: 9, run: { 1: 30, 8: 15 } },
  small: { create: 5, run: { 1: 20, 8: 7 } },
  base: { create: 5, run: { 1: 9, 8: 5 } },
};
const QUICK_ROUNDS: Readonly<Record<ModelName, Rounds>> = {
  embedded: { create: 3, run: { 1: 5, 8: 3 } },
  small: { create: 3, run: { 1: 3, 8: 1 } },
  base: { create: 1, run: { 1: 3, 8: 1 } },
};

await runBench("bench", async () => {
  const { values, flags } = readArguments(Deno.args, ["model"], ["json", "quick"]);
  const names = modelNames(values.model);
  const roundsOf = (name: string) =>
    (flags.quick ? QUICK_ROUNDS : ROUNDS)[isKnown(name) ? name : "small"];
  // Files are read first: a wrong one is an error before minutes are spent on others.
  const files = new Map<string, BenchModel>();
  for (const name of names) if (!isKnown(name)) files.set(name, await modelOfFile(name));
  const processor = await readProcessor();
  const rows: RuntimeRow[] = [];
  for (const name of names) {
    const model = isKnown(name) ? await benchModel(name) : files.get(name)!;
    rows.push(...await timeModel(name, model, roundsOf(name), processor));
  }
  if (flags.json) console.log(JSON.stringify(rows.map(toJson), null, 2));
  else {
    const counts = names.map((name) => {
      const { create, run } = roundsOf(name);
      return `${name} ${run[1]} (batches of 8: ${run[8]}; creating: ${create})`;
    });
    console.log(
      `pixel_values to last_hidden_state; medians of as many rounds: ${counts.join(", ")}. ` +
        "The kernel is the innermost one of the precision of the weights, alone in the same rounds, " +
        "times the threads; patches are f32 always, attention in all models but int8 ones.",
    );
    console.log(
      `Processor: ${processor.processor}; VNNI: ${processor.vnni}; kernel: ${processor.kernel}.\n`,
    );
    console.log(toTable(rows));
  }
  Deno.exit(); // a graphics card's device would keep the process
});

/** In the order of the known models, then the files. */
function modelNames(given: readonly string[]): readonly string[] {
  const unknown = given.find((name) => !isKnown(name) && !name.endsWith(".onnx"));
  if (unknown !== undefined) {
    const names = MODEL_NAMES.join(", ");
    throw new ArgumentError(`--model is ${unknown}, not one of ${names} and no .onnx file`);
  }
  const known = MODEL_NAMES.filter((name) => given.length === 0 || given.includes(name));
  return [...known, ...new Set(given.filter((name) => !isKnown(name)))];
}

function isKnown(name: string): name is ModelName {
  return MODEL_NAMES.some((known) => known === name);
}
