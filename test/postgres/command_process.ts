import denoConfig from "../../deno.json" with { type: "json" };

/** What a command has said, and its last line, which is JSON. */
export interface Ended {
  readonly code: number;
  readonly stderr: string;
  readonly summary: Record<string, unknown>;
}

/** `deno task index` or `worker` in a process of its own, with the task's permissions. */
export class CommandProcess {
  readonly #process: Deno.ChildProcess;
  readonly ended: Promise<Ended>;

  constructor(task: "index" | "worker", ...args: string[]) {
    this.#process = new Deno.Command("deno", {
      args: [...denoConfig.tasks[task].split(" ").slice(1), ...args, "--json"],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.ended = this.#end();
  }

  /** Ends it, if it has not ended. */
  kill(signal: Deno.Signal): Promise<Ended> {
    try {
      this.#process.kill(signal);
    } catch {
      // it has ended already
    }
    return this.ended;
  }

  async #end(): Promise<Ended> {
    const [stdout, stderr, { code }] = await Promise.all([
      this.#process.stdout.text(),
      this.#process.stderr.text(),
      this.#process.status,
    ]);
    return { code, stderr, summary: JSON.parse(stdout.trimEnd().split("\n").at(-1) || "{}") };
  }
}
