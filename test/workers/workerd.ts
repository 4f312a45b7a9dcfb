import { join, resolve } from "@std/path";
import { TempFolder } from "../cli/run.ts";

/**
 * The packages that run and check Workers; nothing but these tests needs them. These are the last versions
 * for Node.js 20.
 */
const PACKAGES = ["miniflare@4.20260426.0", "wrangler@4.86.0"];

/** Whether npm is there to install them: it must be in CI. */
export const HAS_NPM = await hasNpm();

async function hasNpm(): Promise<boolean> {
  try {
    return (await new Deno.Command("npm", { args: ["--version"] }).output()).success;
  } catch (error) {
    if (Deno.env.get("CI")) {
      throw new Error("Cannot test Workers: npm is missing", { cause: error });
    }
    console.log("Workers are not tested: npm is missing");
    return false;
  }
}

/** Installs the packages into a folder, which goes when it is disposed of. */
export async function installPackages(): Promise<TempFolder> {
  const folder = new TempFolder();
  folder.write("package.json", "{}");
  const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...PACKAGES];
  await output("npm", args, folder.path);
  return folder;
}

/**
 * Runs a program to its end.
 *
 * @returns what it wrote.
 * @throws {Error} with that, if it fails.
 */
export async function output(
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  const env = { WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false", NO_COLOR: "1" };
  const command = new Deno.Command(program, { args: [...args], cwd, env });
  const { success, stdout, stderr } = await command.output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  if (!success) throw new Error(`${program} ${args[0]}: ${text}`);
  return text;
}

/** What a Worker is run with besides its modules; see miniflare's options. */
export interface WorkerOptions {
  readonly bindings?: Readonly<Record<string, string>>;
  /** Files of R2's bucket `MODEL_BUCKET` by their keys. */
  readonly objects?: Readonly<Record<string, string>>;
}

/** A Worker under workerd. */
export class Workerd implements AsyncDisposable {
  readonly url: string;
  readonly #pid: number;
  readonly #process: Deno.ChildProcess;

  private constructor(url: string, pid: number, process: Deno.ChildProcess) {
    this.url = url;
    this.#pid = pid;
    this.#process = process;
  }

  /**
   * Starts the Worker that was built into a folder.
   *
   * @param packages the folder with miniflare.
   */
  static async start(
    packages: string,
    folder: string,
    { bindings = {}, objects }: WorkerOptions = {},
  ): Promise<Workerd> {
    const config = await Deno.readTextFile(join(folder, "wrangler.toml"));
    const options = {
      rootPath: folder,
      modulesRoot: folder,
      scriptPath: join(folder, "index.js"),
      modules: true,
      modulesRules: [
        { type: "ESModule", include: ["**/*.js"] },
        { type: "CompiledWasm", include: ["**/*.wasm"] },
      ],
      compatibilityDate: /^compatibility_date = "(.*)"$/m.exec(config)![1],
      bindings,
      assets: {
        directory: join(folder, "assets"),
        binding: "ASSETS",
        routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
      },
      ...(objects ? { objects, r2Buckets: ["MODEL_BUCKET"] } : {}),
    };
    const process = new Deno.Command("node", {
      args: ["test/workers/start_miniflare.mjs", resolve(packages), JSON.stringify(options)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value } = await lines.read();
    void (async () => {
      // The Worker's log.
      while (!(await lines.read()).done);
    })();
    if (!value) throw new Error("workerd does not start");
    const { url, workerd } = JSON.parse(value.split("\n")[0]!);
    return new Workerd(url, workerd, process);
  }

  /** Asks the Worker. */
  async fetch(path: string, init?: RequestInit): Promise<{ status: number; text: string }> {
    const response = await fetch(new URL(path, this.url), init);
    return { status: response.status, text: await response.text() };
  }

  /** Sends it a body. */
  post(path: string, body: BodyInit, init: RequestInit = {}) {
    return this.fetch(path, { method: "POST", body, ...init });
  }

  /** The most memory that workerd's process has had, in bytes. */
  async peakMemory(): Promise<number> {
    // Deno itself reads there only with all permissions.
    const status = await output("cat", [`/proc/${this.#pid}/status`], ".");
    return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close();
    await this.#process.status;
  }
}
