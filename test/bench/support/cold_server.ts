import { freePort } from "../../http/socket.ts";

/** How often a port is tried, in milliseconds. */
const CONNECT_INTERVAL = 2;

/** A service that a process of its own is started for. */
export interface Contender {
  readonly name: string;
  /** Of `deno`. It listens on the port that the environment's `PORT` says. */
  readonly args: readonly string[];
  readonly path: string;
}

/** Milliseconds since the process was started. */
export interface ColdStart {
  /** Until the port took a connection. */
  readonly listening: number;
  /** Until the first answer was there. */
  readonly answered: number;
}

/**
 * Starts a process, posts an image to it as soon as it listens, and ends it.
 *
 * @throws {Error} if the process ends early, or does not put `label` first.
 */
export async function coldStart(
  { name, args, path }: Contender,
  image: Uint8Array<ArrayBuffer>,
  label: string,
): Promise<ColdStart> {
  const port = freePort();
  const start = performance.now();
  const process = new Deno.Command("deno", {
    args: [...args],
    env: { PORT: String(port) },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = process.stderr.text();
  const ended = process.status.then(async ({ code }) => {
    throw new Error(`${name} ended with ${code}: ${lastLine(await stderr)}`);
  });
  ended.catch(() => {}); // it is looked at in races only
  const isOver = new AbortController();
  try {
    await Promise.race([ended, connect(port, isOver.signal)]);
    const listening = performance.now() - start;
    const text = await Promise.race([ended, post(`http://127.0.0.1:${port}${path}`, image)]);
    const answered = performance.now() - start;
    if (firstLabel(text) !== label) throw new Error(`${name} answered, not with ${label}: ${text}`);
    return { listening, answered };
  } finally {
    isOver.abort();
    await end(process);
  }
}

/** Waits until a port takes connections. */
async function connect(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, CONNECT_INTERVAL));
    }
  }
}

async function post(url: string, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const headers = { "content-type": "image/jpeg" };
  return await (await fetch(url, { method: "POST", body, headers })).text();
}

function firstLabel(text: string): unknown {
  try {
    return JSON.parse(text)[0].label;
  } catch {
    return undefined; // an error's page
  }
}

async function end(process: Deno.ChildProcess): Promise<void> {
  try {
    process.kill("SIGTERM");
  } catch {
    // It has ended by itself.
  }
  await process.status;
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)!;
}
