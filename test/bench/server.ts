/** How often health is asked for, in milliseconds. */
const HEALTH_INTERVAL = 20;

/** `deno task serve` in a process of its own. */
export class Server implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #url: string;

  private constructor(process: Deno.ChildProcess, url: string) {
    this.#process = process;
    this.#url = url;
  }

  /** Starts it on a free port. */
  static async start(args: readonly string[]): Promise<Server> {
    const command = [
      "run",
      "--lock",
      "--frozen",
      "--allow-net",
      "--allow-read",
      "--allow-env=INIT_CWD",
    ];
    const process = new Deno.Command("deno", {
      args: [...command, "src/cli/serve.ts", "--port", "0", "--quiet", ...args],
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const reader = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`The service does not start: ${text}`);
      text += value;
      const url = /http:\/\/\S+(?=\n)/.exec(text)?.[0];
      if (url) {
        void drain(reader);
        return new Server(process, url);
      }
    }
  }

  /** Posts a body and returns the answer's status. */
  async post(path: string, body: Uint8Array): Promise<number> {
    const response = await fetch(this.#url + path, {
      method: "POST",
      body: body as Uint8Array<ArrayBuffer>,
    });
    await response.arrayBuffer();
    return response.status;
  }

  /** Asks for health over and over; `end` tells the longest time that an answer took, in milliseconds. */
  watchHealth(): { end(): Promise<number> } {
    let isOver = false;
    const watching = (async () => {
      let longest = 0;
      while (!isOver) {
        const begin = performance.now();
        await (await fetch(`${this.#url}/v2/health/live`)).arrayBuffer();
        longest = Math.max(longest, performance.now() - begin);
        await new Promise((resolve) => setTimeout(resolve, HEALTH_INTERVAL));
      }
      return longest;
    })();
    return {
      end: () => {
        isOver = true;
        return watching;
      },
    };
  }

  /** The memory that the process has. */
  residentMegabytes(): number {
    const args = ["-o", "rss=", "-p", String(this.#process.pid)];
    const { stdout } = new Deno.Command("ps", { args }).outputSync();
    return Math.round(Number(new TextDecoder().decode(stdout)) * 1024 / 1e6);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }
}

async function drain(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  while (!(await reader.read()).done);
}
