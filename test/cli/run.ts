import { type Command, type Options, runCommand } from "../../src/cli/command.ts";
import type { System } from "../../src/cli/options/system.ts";
import type { Output, Terminal } from "../../src/cli/output/terminal.ts";

/** What a command did. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A system whose environment is empty. */
export const EMPTY_SYSTEM: System = {
  env: () => Promise.resolve(undefined),
  allowWrite: () => Promise.resolve(),
  fetch: (url, init) => fetch(url, init),
  dropNetwork: () => Promise.resolve(), // tests go on
};

/** Runs a command with the test's own standard streams. */
export async function run<O extends Options>(
  command: Command<O>,
  args: readonly string[],
  { stdin = new Uint8Array(), system = EMPTY_SYSTEM, ...terminal }:
    & { stdin?: Uint8Array<ArrayBuffer>; system?: System }
    & Partial<Omit<Output, "write">> = {},
): Promise<Result> {
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr"): Output => ({
    isTerminal: false,
    color: false,
    columns: 80,
    ...terminal,
    write: (text) => void (written[name] += text),
  });
  const streams: Terminal = {
    stdin: ReadableStream.from([stdin]),
    stdout: output("stdout"),
    stderr: output("stderr"),
    system,
  };
  const code = await runCommand(command, args, streams);
  return { code, ...written };
}

/** A folder that is gone after the test. */
export class TempFolder implements Disposable {
  // Below `test`, where the test task may write.
  readonly path = Deno.makeTempDirSync({ dir: "test", prefix: "tmp-" });

  /** Writes a file into the folder, making folders on the way, and returns its path. */
  write(name: string, content: Uint8Array | string): string {
    const path = `${this.path}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeFileSync(
      path,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
