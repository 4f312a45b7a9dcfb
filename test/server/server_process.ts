import { freePort } from "../http/socket.ts";

/** How a server is started. */
export interface ServerOptions {
  /** Arguments of `deno`; the server listens on the port that the environment's `PORT` says. Default: `serve`. */
  readonly args?: readonly string[];
  /** More arguments of `serve`. */
  readonly serve?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How many files it may have open. */
  readonly maxFiles?: number;
  /** Where it runs; default is the project's folder. */
  readonly cwd?: string;
}

/**
 * The arguments of `deno task serve`. Without the page: bundling it takes memory and time of its own, at the first
 * `GET /`; `test/browser` has that.
 */
const SERVE = [
  "run",
  "--allow-net",
  "--allow-read",
  "--allow-env=INIT_CWD",
  "src/cli/serve.ts",
  "--quiet",
  "--no-page",
];

/** How long a server may take to listen, and to end, in milliseconds. */
const PATIENCE = 30_000;

/** A server in a process of its own, looked at from outside. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  readonly #output: Promise<string>;

  private constructor(process: Deno.ChildProcess, port: number, output: Promise<string>) {
    this.#process = process;
    this.port = port;
    this.#output = output;
  }

  /** Starts one on a free port, and waits until it listens. */
  static async start(
    { args, serve = [], env = {}, maxFiles, cwd }: ServerOptions = {},
  ): Promise<ServerProcess> {
    const port = freePort();
    const command = args ?? [...SERVE, "--port", String(port), ...serve];
    const limit = maxFiles === undefined ? "" : `ulimit -n ${maxFiles}; `;
    const process = new Deno.Command("bash", {
      args: ["-c", `${limit}exec deno "$@"`, "deno", ...command],
      env: { PORT: String(port), ...env },
      stdout: "piped",
      stderr: "piped",
      ...(cwd === undefined ? {} : { cwd }),
    }).spawn();
    const output = Promise.all([process.stdout.text(), process.stderr.text()])
      .then((texts) => texts.join(""));
    const server = new ServerProcess(process, port, output);
    const isOver = new AbortController();
    const ended = process.status.then(async () => {
      throw new Error(`The server does not start: ${await output}`);
    });
    ended.catch(() => {});
    await Promise.race([ended, server.#listening(isOver.signal)]).finally(() => isOver.abort());
    return server;
  }

  async #listening(signal: AbortSignal): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!signal.aborted && performance.now() < end) {
      try {
        (await this.connect()).close();
        return;
      } catch {
        await sleep(10);
      }
    }
  }

  /** Its address, with a path behind it. */
  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  connect(): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: "127.0.0.1", port: this.port });
  }

  /** Posts a body; the answer's status and text. */
  async post(
    path: string,
    body: BodyInit,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; text: string }> {
    const response = await fetch(this.url(path), { method: "POST", body, headers });
    return { status: response.status, text: await response.text() };
  }

  /** The memory that it has, or the most that it had, in megabytes (Linux). */
  memory(which: "now" | "most"): number {
    // Deno itself reads nothing of /proc without all permissions.
    const args = ["-c", `cat /proc/${this.#process.pid}/status`];
    const { stdout } = new Deno.Command("bash", { args }).outputSync();
    const status = new TextDecoder().decode(stdout);
    const name = which === "now" ? "VmRSS" : "VmHWM";
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) * 1024 / 1e6;
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Its exit code and all it said, when it has ended. */
  async ended(): Promise<{ code: number; output: string }> {
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), PATIENCE);
    const { code } = await this.#process.status;
    clearTimeout(timer);
    return { code, output: await this.#output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended();
  }
}

/** Asks for health over and over, from a thread of its own. */
export class HealthWatch {
  readonly #worker: Worker;

  constructor(server: ServerProcess) {
    this.#worker = new Worker(new URL("./health_worker.ts", import.meta.url), { type: "module" });
    this.#worker.postMessage(server.url("/v2/health/live"));
  }

  /** The longest time that an answer took so far, or takes, in milliseconds; a refusal counts as `Infinity`. */
  async end(): Promise<number> {
    const longest = await new Promise<number>((resolve) => {
      this.#worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data);
      this.#worker.postMessage("end");
    });
    this.#worker.terminate();
    return longest;
  }
}

/** Waits for so many milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
