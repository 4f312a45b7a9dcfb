// Reads a model and the documents beside it from stdin, runs it once and prints the most memory that took, in KiB. Linux only.

import { loadModel, type Tensor } from "../../../../src/mod.ts";
import { elementCount } from "../../../../src/tensor/tensor.ts";
import type { Sidecars } from "../../../../src/vit_msn/model_file.ts";
import { embedPixels, engineName, ENGINES } from "../engines.ts";

const { name, lengths, shape } = JSON.parse(Deno.args[0]!) as {
  name: string;
  lengths: readonly [number, number];
  shape: readonly number[];
};
const bytes = await readStdin(lengths[0]);
const sidecars = JSON.parse(new TextDecoder().decode(await readStdin(lengths[1]))) as Sidecars;
await runOnce(bytes, sidecars);
const status = await Deno.readTextFile("/proc/self/status");
console.log(/^VmHWM:\s*(\d+) kB$/m.exec(status)![1]);
Deno.exit(); // a graphics card's device would keep the process

/** In one buffer, as a file is read. */
async function readStdin(length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let end = 0;
  while (end < length) {
    const count = await Deno.stdin.read(bytes.subarray(end));
    if (count === null) throw new Error("Cannot read the model: stdin ended early");
    end += count;
  }
  return bytes;
}

async function runOnce(bytes: Uint8Array, sidecars: Sidecars): Promise<void> {
  const engine = ENGINES.find((engine) => engineName(engine) === name)!;
  await using model = await loadModel(bytes, { ...sidecars, runtime: engine.runtime });
  const data = new Float32Array(elementCount(shape));
  const pixels: Tensor<"float32"> = { dtype: "float32", shape, data };
  await embedPixels(model, pixels, engine);
}
