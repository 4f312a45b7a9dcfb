import { readSafetensors, type Tensors, writeSafetensors } from "../checkpoint/safetensors.ts";
import { OUTPUT_NAMES } from "../vit_msn/graph.ts";
import { type Command, outputsOption, requiredOption, UsageError } from "./command.ts";
import { readErrorMessage } from "../hub/file_error.ts";
import { main } from "./main.ts";
import { loadModelOption, MODEL_OPTIONS } from "./options/model_option.ts";
import { RUNTIME_OPTIONS } from "./options/runtime_option.ts";
import { printable } from "./output/printable.ts";
import { writeFile } from "../hub/write_file.ts";

const options = {
  ...MODEL_OPTIONS,
  ...RUNTIME_OPTIONS,
  inputs: {
    value: "FILE",
    help: "A safetensors file with pixel_values [B, C, H, W] and, optionally, " +
      "bool_masked_pos, kept_patches and labels; required",
  },
  out: { value: "FILE", help: "The safetensors file to write; required" },
  outputs: {
    value: "A,B",
    help: "The outputs to compute: last_hidden_state, hidden_states, attentions, logits, loss; " +
      "default is last_hidden_state, with a classifier logits, with labels loss",
  },
  "interpolate-pos-encoding": {
    help: "Accept images of any size; position embeddings are interpolated",
  },
};

const INPUTS = ["pixel_values", "bool_masked_pos", "kept_patches", "labels"];

/** `deno task forward`: runs tensors through the model. */
export const forward: Command<typeof options> = {
  name: "forward",
  usage: "--inputs IN.safetensors --out OUT.safetensors",
  description: "Runs tensors through the model and writes its outputs, under Hugging Face's names.",
  options,
  examples: [
    ["--inputs in.safetensors --out out.safetensors", "Compare with Python"],
    [
      "--model my.onnx --inputs in.safetensors --out out.safetensors --outputs logits,attentions",
      "Selected outputs",
    ],
  ],
  async run(positional, values, terminal) {
    if (positional.length > 0) throw new UsageError(`unexpected argument ${positional[0]}`);
    const inputsPath = requiredOption("inputs", values.inputs);
    const out = requiredOption("out", values.out);
    const outputs = values.outputs === undefined
      ? {}
      : { outputs: outputsOption(values.outputs, [...OUTPUT_NAMES, "loss"]) };
    const tensors = await readTensors(inputsPath);
    const pixel_values = tensors.get("pixel_values");
    if (!pixel_values) throw new Error(`${inputsPath}: tensor pixel_values is missing`);
    const others = [...tensors.keys()].filter((name) => !INPUTS.includes(name));
    if (others.length > 0) {
      const names = printable(others.join(", "));
      terminal.stderr.write(`forward: ignored tensors, which are not model inputs: ${names}\n`);
    }
    const given = [...tensors].filter(([name]) => INPUTS.includes(name));
    const inputs = { ...Object.fromEntries(given), pixel_values };
    await using model = await loadModelOption(values, terminal);
    const results = await model.forward(inputs, {
      ...outputs,
      interpolatePosEncoding: values["interpolate-pos-encoding"],
    });
    await writeFile(out, [writeSafetensors(results)]);
    return 0;
  },
};

async function readTensors(path: string): Promise<Tensors> {
  try {
    return readSafetensors(await Deno.readFile(path));
  } catch (error) {
    throw new Error(`${path}: ${readErrorMessage(error)}`);
  }
}

if (import.meta.main) await main(forward);
