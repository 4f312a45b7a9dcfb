import config from "../../deno.json" with { type: "json" };
import type { Result } from "./run.ts";
import { runProcess } from "./run_process.ts";

/** Runs a task's command in a process of its own, with the task's permissions. */
export async function runTask(
  name: "index" | "search" | "dedupe",
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Result> {
  const [deno, ...task] = config.tasks[name].split(" ");
  return await runProcess(deno!, [...task, ...args], { env });
}
