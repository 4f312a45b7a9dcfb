import type { Sidecars } from "../../../../src/vit_msn/model_file.ts";
import { type Engine, engineName } from "../engines.ts";

/**
 * The most memory in megabytes that a process ever had which makes a model with an engine and runs it
 * once; nothing where there is no /proc.
 *
 * @param shape of `pixel_values`.
 */
export async function peakMemory(
  engine: Engine,
  bytes: Uint8Array,
  sidecars: Sidecars,
  shape: readonly number[],
): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const documents = new TextEncoder().encode(JSON.stringify(sidecars));
  const child = new Deno.Command("deno", {
    args: [
      "run",
      "--lock",
      "--frozen",
      "--allow-all", // for nothing less Deno reads /proc
      new URL("./peak_memory_child.ts", import.meta.url).pathname,
      JSON.stringify({
        name: engineName(engine),
        lengths: [bytes.length, documents.length],
        shape,
      }),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(bytes);
  await writer.write(documents);
  await writer.close();
  const { success, stdout, stderr } = await output;
  if (!success) throw new Error(`Cannot measure the memory: ${new TextDecoder().decode(stderr)}`);
  return Number(new TextDecoder().decode(stdout)) * 1024 / 1e6;
}
