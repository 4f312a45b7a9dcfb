import type { TrainShape } from "./train_shape.ts";

const SCRIPT = new URL("./torch_train.py", import.meta.url).pathname;

/** A training in PyTorch, in a process of its own. */
export interface TorchTraining extends AsyncDisposable {
  /** PyTorch's version. */
  readonly version: string;
  /** Megabytes that the process has taken at most, beyond those of PyTorch alone; NaN where that is unknown. */
  readonly megabytes: number;
  step(): Promise<void>;
}

/** Whether Python has PyTorch: its version, or why not. */
export async function findTorch(): Promise<{ version: string } | { reason: string }> {
  try {
    const { success, stdout } = await new Deno.Command("python3", {
      args: ["-c", "import torch; print(torch.__version__)"],
      stderr: "null",
    }).output();
    if (success) return { version: new TextDecoder().decode(stdout).trim() };
    return { reason: "python3 has no PyTorch" };
  } catch {
    return { reason: "there is no python3, or it may not be run" };
  }
}

/**
 * Starts a training of a shape.
 *
 * @param tune `all`, `last:N` or `lora:R`.
 */
export async function startTorch(shape: TrainShape, tune: string): Promise<TorchTraining> {
  const child = new Deno.Command("python3", {
    args: [SCRIPT, JSON.stringify({ ...shape, tune })],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const readLine = async () => {
    let line = "";
    while (!line.endsWith("\n")) {
      const { done, value } = await reader.read();
      if (done) throw new Error("Cannot train in PyTorch: python3 ended");
      line += value;
    }
    return line.trim();
  };
  const version = await readLine();
  let megabytes = 0;
  return {
    version,
    get megabytes() {
      return megabytes;
    },
    async step() {
      await writer.write(new TextEncoder().encode("\n"));
      megabytes = Number(await readLine());
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await child.status;
      await reader.cancel();
    },
  };
}
