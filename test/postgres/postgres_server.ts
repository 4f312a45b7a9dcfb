import { freePort } from "../http/socket.ts";

/** The seconds until it runs; the first time on a machine, it is installed. */
const PATIENCE = 600;
const SCRIPT = new URL("./server.sh", import.meta.url).pathname;

/** Why {@linkcode PostgresServer} cannot run on this machine, if it cannot. */
export async function missingPostgres(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "it is not Linux";
  try {
    const { success, stderr } = await new Deno.Command("bash", { args: [SCRIPT, "check"] })
      .output();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch {
    return "there is no bash, or it may not be run";
  }
}

/** A PostgreSQL server of this process: it ends with it, however that ends. */
export class PostgresServer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  /** Of its superuser, without a database. */
  readonly url: string;

  private constructor(process: Deno.ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  /**
   * Starts one; the first time on a machine, it is installed.
   *
   * @throws {Error} if it does not start, or takes too long; with all that it said.
   */
  static async start(): Promise<PostgresServer> {
    const port = freePort();
    const process = new Deno.Command("bash", {
      args: [SCRIPT, "run", String(port)],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const said = process.stderr.text();
    const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const timer = setTimeout(() => process.kill("SIGKILL"), 1000 * PATIENCE);
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        clearTimeout(timer);
        await process.stdin.close();
        await process.status;
        throw new Error(`Cannot start PostgreSQL: ${(await said).trim()}`);
      }
      text += value;
      if (text.includes("ready")) break;
    }
    clearTimeout(timer);
    await reader.cancel();
    return new PostgresServer(process, `postgres://postgres@127.0.0.1:${port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close();
    await this.#process.status;
  }
}
