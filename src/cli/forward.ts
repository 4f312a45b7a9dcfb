import { readSafetensors, type Tensors, writeSafetensors } from "../checkpoint/safetensors.ts";
import { type Command, requiredOption, UsageError } from "./command.ts";
import { readErrorMessage } from "./file_error.ts";
import { main } from "./main.ts";
import { loadModelOption, MODEL_OPTIONS } from "./model_option.ts";
import { writeFile } from "./write_file.ts";

const options = {
  ...MODEL_OPTIONS,
  inputs: { value: "FILE", help: "A safetensors file with pixel_values [B, C, H, W]; required" },
  out: { value: "FILE", help: "The safetensors file to write; required" },
  outputs: { value: "A,B", help: "The outputs to compute; default is all that the model has" },
};

/** The tensor of the input file that the graph takes. */
const INPUT = "pixel_values";

/** `deno task forward`: runs raw tensors through the graph. */
export const forward: Command<typeof options> = {
  name: "forward",
  usage: "--inputs IN.safetensors --out OUT.safetensors",
  description: "Runs tensors through the model's graph and writes its outputs, such as logits.",
  options,
  examples: [
    ["--inputs in.safetensors --out out.safetensors", "For comparing with Python"],
    [
      "--model my.onnx --inputs in.safetensors --out out.safetensors --outputs logits",
      "One output",
    ],
  ],
  async run(positional, values, terminal) {
    if (positional.length > 0) throw new UsageError(`it takes no argument ${positional[0]}`);
    const inputsPath = requiredOption("inputs", values.inputs);
    const out = requiredOption("out", values.out);
    const inputs = await readTensors(inputsPath);
    const pixelValues = inputs.get(INPUT);
    if (!pixelValues) throw new Error(`${inputsPath}: it has no tensor ${INPUT}`);
    const others = [...inputs.keys()].filter((name) => name !== INPUT);
    if (others.length > 0) {
      terminal.stderr.write(`forward: these are no inputs of the graph: ${others.join(", ")}\n`);
    }
    await using model = await loadModelOption(values, terminal);
    const results = await model.forward(pixelValues, values.outputs?.split(","));
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
