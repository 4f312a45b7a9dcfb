// From the start of a process to the first image that it has classified over HTTP: the bundle that
// `deno task build` makes, and the same job on transformers.js, in turn, both with the embedded model.
// deno task bench:cold-start [--rounds 9]

import { readModel } from "../../src/onnx/read_model.ts";
import { runBench } from "./support/arguments.ts";
import { roundsOf } from "./support/rounds_of.ts";
import { type ColdStart, coldStart, type Contender } from "./support/cold_server.ts";
import { median } from "./support/measure.ts";
import { writeTransformersModel } from "./support/transformers.ts";

const OWN = "this project, bundled";
const LABEL = "airplane";
const MODEL = "functions/_shared/model.onnx";

await runBench("bench:cold-start", async () => {
  const rounds = roundsOf(Deno.args, 9);
  const image = await Deno.readFile(`test/images/${LABEL}.jpg`);
  const folder = await Deno.makeTempDir();
  try {
    const starts = new Map([await bundled(folder), await transformersJs(folder)]
      .map((contender): [Contender, ColdStart[]] => [contender, []]));
    // Once before, so that packages and compiled code are in Deno's cache.
    for (const [contender] of starts) {
      if (!await works(contender, image)) starts.delete(contender);
    }
    for (let round = 0; round < rounds; round++) {
      for (const [contender, times] of starts) times.push(await coldStart(contender, image, LABEL));
    }
    console.log(`Process start to the first answer, over loopback; medians of ${rounds} in ms.\n`);
    console.log(tableOf(starts));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function bundled(folder: string): Promise<Contender> {
  const out = `${folder}/dist`;
  const { success } = await new Deno.Command("deno", {
    args: ["task", "--quiet", "build", "--out", out],
    stdout: "null",
  }).output();
  if (!success) throw new Error("Cannot build the bundle");
  const permissions = ["--allow-net=127.0.0.1", `--allow-read=${out}`, "--allow-env"];
  return {
    name: OWN,
    args: ["run", ...permissions, `${out}/classify.js`],
    path: "/classify",
  };
}

async function transformersJs(folder: string): Promise<Contender> {
  const bytes = await Deno.readFile(MODEL);
  const { metadataProps } = readModel(bytes);
  const [config, preprocessorConfig] = ["config.json", "preprocessor_config.json"].map((name) =>
    JSON.parse(metadataProps.get(name)!)
  );
  await writeTransformersModel(folder, bytes, { config, preprocessorConfig });
  const permissions = ["net=127.0.0.1", "read", "env", "sys", "ffi"].map((name) =>
    `--allow-${name}`
  );
  const script = new URL("./support/cold_start_transformers.ts", import.meta.url).pathname;
  return {
    name: "transformers.js",
    args: ["run", "--no-config", "--no-lock", ...permissions, script, folder],
    path: "/",
  };
}

/** Whether a contender can be had; says so if it cannot. Without this project there is no bench. */
async function works(contender: Contender, image: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    await coldStart(contender, image, LABEL);
    return true;
  } catch (error) {
    if (contender.name === OWN || !(error instanceof Error)) throw error;
    console.log(`${contender.name} is left out: ${error.message}\n`);
    return false;
  }
}

function tableOf(starts: ReadonlyMap<Contender, readonly ColdStart[]>): string {
  const rows = [...starts].map(([{ name }, times]) => ({
    name,
    listening: median(times.map(({ listening }) => listening)),
    answered: median(times.map(({ answered }) => answered)),
  }));
  return [
    "| contender | listening | answered | ratio |",
    "| --- | ---: | ---: | ---: |",
    ...rows.map(({ name, listening, answered }) => {
      const ratio = (answered / rows[0]!.answered).toFixed(2);
      return `| ${name} | ${listening.toFixed(0)} | ${answered.toFixed(0)} | ${ratio} |`;
    }),
  ].join("\n");
}
