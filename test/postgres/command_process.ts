import { concat } from "@std/bytes/concat";
import denoConfig from "../../deno.json" with { type: "json" };
import type { TempFolder } from "../cli/run.ts";

const NAMES = ["airplane", "bird", "deer", "dog", "frog", "horse", "ship", "truck"];

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

/**
 * Writes photos into a folder; none has the bytes of another one, but for every tenth.
 *
 * @returns the folder's path.
 */
export function writePhotos(folder: TempFolder, name: string, count: number): string {
  const encoder = new TextEncoder();
  const photos = NAMES.map((name) => Deno.readFileSync(`test/images/${name}.jpg`));
  for (let i = 0; i < count; i++) {
    // What follows the end of a JPEG is not decoded.
    const original = i % 10 === 9 ? i - 1 : i;
    const content = concat([photos[original % 8]!, encoder.encode(`${name} ${original}`)]);
    const path = folder.write(`${name}/${NAMES[i % 3]}/${i}.jpg`, content);
    // Long ago, so that the time tells whether it changes.
    Deno.utimeSync(path, 1e9, 1e9);
  }
  return `${folder.path}/${name}`;
}
