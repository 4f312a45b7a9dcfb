import config from "../../deno.json" with { type: "json" };
import type { Result } from "./run.ts";

/** Runs a task's command in a process of its own, with the task's permissions. */
export async function runTask(
  name: "index" | "search" | "dedupe",
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Result> {
  const [deno, ...task] = config.tasks[name].split(" ");
  const { code, stdout, stderr } = await new Deno.Command(deno!, { args: [...task, ...args], env })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
