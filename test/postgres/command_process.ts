import { delay } from "@std/async/delay";
import denoConfig from "../../deno.json" with { type: "json" };

/** What a command has said, and its last line, which is JSON. */
export interface Ended {
  readonly code: number;
  readonly stderr: string;
  readonly summary: Record<string, unknown>;
}

/** The seconds that a process may take in a test on a loaded machine, and to end once it was told to. */
const PATIENCE = 300;
const END_PATIENCE = 60;

/**
 * `deno task index` or `worker` in a process of its own, with the task's permissions. One that takes too long is
 * killed, and `ended` rejects with what it has said.
 */
export class CommandProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #name: string;
  readonly ended: Promise<Ended>;
  readonly #said = { stdout: "", stderr: "" };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lateAfter: number | undefined;
  #hasEnded = false;

  /** @param patience the seconds that it may take. */
  constructor(task: "index" | "worker", args: readonly string[], patience = PATIENCE) {
    this.#name = `deno task ${task}`;
    this.#process = new Deno.Command("deno", {
      args: [...denoConfig.tasks[task].split(" ").slice(1), ...args, "--json"],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#expire(patience);
    this.ended = this.#end();
    this.ended.catch(() => {}); // a test that fails does not wait for it
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Waits until stderr has some words, or the process has ended. */
  async says(words: string): Promise<void> {
    while (!this.#hasEnded && !this.#said.stderr.includes(words)) await delay(20);
  }

  /** Ends it, if it has not ended. */
  kill(signal: Deno.Signal): Promise<Ended> {
    if (!this.#hasEnded) this.#expire(END_PATIENCE);
    this.#send(signal);
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGKILL").catch(() => {}); // whoever waits for it has heard
  }

  #expire(seconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#lateAfter = seconds;
      this.#send("SIGKILL");
    }, 1000 * seconds);
  }

  #send(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch {
      // it has ended
    }
  }

  async #end(): Promise<Ended> {
    const [, , { code }] = await Promise.all([
      this.#listen("stdout"),
      this.#listen("stderr"),
      this.#process.status.finally(() => {
        this.#hasEnded = true;
        clearTimeout(this.#timer);
      }),
    ]);
    const { stdout, stderr } = this.#said;
    if (this.#lateAfter !== undefined) {
      throw new Error(
        `${this.#name} did not end within ${this.#lateAfter} s; it said: ${stdout}${stderr}`,
      );
    }
    return { code, stderr, summary: JSON.parse(stdout.trimEnd().split("\n").at(-1) || "{}") };
  }

  async #listen(name: "stdout" | "stderr"): Promise<void> {
    for await (const text of this.#process[name].pipeThrough(new TextDecoderStream())) {
      this.#said[name] += text;
    }
  }
}
