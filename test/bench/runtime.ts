// All engines side by side, from pixel_values to last_hidden_state, in one table:
// deno task bench [--model embedded|small|base] [--quick] [--json]
//
// --model may be given several times, or several names with commas; default all. --quick is for fewer
// rounds, --json for an array of objects.

import { ArgumentError, readArguments, runBench } from "./support/arguments.ts";
import { MODEL_NAMES, type ModelName } from "./support/models.ts";
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
  const rounds = flags.quick ? QUICK_ROUNDS : ROUNDS;
  const rows: RuntimeRow[] = [];
  for (const name of names) rows.push(...await timeModel(name, rounds[name]));
  if (flags.json) console.log(JSON.stringify(rows.map(toJson), null, 2));
  else {
    const counts = names.map((name) => {
      const { create, run } = rounds[name];
      return `${name} ${run[1]} (batches of 8: ${run[8]}; creating: ${create})`;
    });
    console.log(
      `pixel_values to last_hidden_state; medians of as many rounds: ${counts.join(", ")}. ` +
        "The kernel is the innermost one of the precision of the weights, alone in the same rounds, " +
        "times the threads; attention and patches are f32 always.\n",
    );
    console.log(toTable(rows));
  }
  Deno.exit(); // a graphics card's device would keep the process
});

function modelNames(given: readonly string[]): readonly ModelName[] {
  const unknown = given.find((name) => !MODEL_NAMES.some((known) => known === name));
  if (unknown !== undefined) {
    throw new ArgumentError(`--model is ${unknown}, not one of ${MODEL_NAMES.join(", ")}`);
  }
  return MODEL_NAMES.filter((name) => given.length === 0 || given.includes(name));
}
