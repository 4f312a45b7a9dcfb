import type { Tensor } from "../../src/mod.ts";

/**
 * The most memory in MiB that a process ever had which loads a model with an engine and runs it once.
 *
 * @param engine its place in `ENGINES`.
 */
export async function peakMemory(
  engine: number,
  bytes: Uint8Array,
  { shape }: Tensor,
): Promise<number> {
  const child = new Deno.Command("deno", {
    args: [
      "run",
      "--allow-all", // for nothing less Deno reads /proc
      new URL("./peak_memory_child.ts", import.meta.url).pathname,
      JSON.stringify({ engine, length: bytes.length, shape }),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(bytes);
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("Cannot measure the memory: the process failed");
  return Number(new TextDecoder().decode(stdout)) / 1024;
}
