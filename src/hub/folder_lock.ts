import { delay } from "@std/async/delay";
import { fileErrorCode } from "./file_error_code.ts";
import { fileSystem } from "./file_system.ts";
import { removeIfThere } from "./remove_if_there.ts";

/** Times of a {@linkcode FolderLock}, in milliseconds. */
export interface FolderLockOptions {
  /** The holder proves that often that it lives; default 2000. */
  readonly refresh?: number;
  /** A lock is taken over that was not refreshed for this long; default 10,000. */
  readonly stale?: number;
  /** How often those who wait look; default 100. */
  readonly poll?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A lock between processes: a file that only one of them can make. Its holder touches it while it
 * lives, because a process that is killed leaves it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { FolderLock } from "./folder_lock.ts";
 *
 * const path = "test/example.lock";
 * const order: number[] = [];
 * await Promise.all([1, 2].map(async (n) => {
 *   await using _lock = await FolderLock.acquire(path);
 *   order.push(n, n); // nobody else is here
 * }));
 * assertEquals(order[0], order[1]);
 * ```
 */
export class FolderLock implements AsyncDisposable {
  readonly #path: string;
  readonly #id: string;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(path: string, id: string, refresh: number) {
    this.#path = path;
    this.#id = id;
    this.#timer = setInterval(() => void touch(path), refresh);
  }

  /**
   * Waits until it holds the lock.
   *
   * @param path the lock's file; its folder must exist.
   * @throws {Error} of the file system if the file cannot be made.
   */
  static async acquire(
    path: string,
    { refresh = 2000, stale = 10_000, poll = 100, signal }: FolderLockOptions = {},
  ): Promise<FolderLock> {
    const id = crypto.randomUUID();
    while (!await make(path, id)) {
      if (!await takeAway(path, stale)) await delay(poll, signal ? { signal } : {});
    }
    return new FolderLock(path, id, refresh);
  }

  /** Gives the lock to whoever waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    // Another process may have taken it over while this one was suspended.
    if (await holderOf(this.#path) === this.#id) await removeIfThere(this.#path);
  }
}

/** Returns whether there was no such file. */
async function make(path: string, id: string): Promise<boolean> {
  try {
    await fileSystem().writeFile(path, id, { flag: "wx" });
    return true;
  } catch (error) {
    if (fileErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  await fileSystem().utimes(path, now, now).catch(() => {}); // it was taken over
}

/** Removes a stale lock; returns whether there is none any more. */
async function takeAway(path: string, stale: number): Promise<boolean> {
  const { stat, rename, link } = fileSystem();
  try {
    const holder = await holderOf(path);
    if (Date.now() - (await stat(path)).mtimeMs <= stale) return false;
    const taken = `${path}.${crypto.randomUUID()}.stale`;
    await rename(path, taken);
    // Between the look and the move, someone else may have taken it over: give it back.
    if (await holderOf(taken) !== holder) await link(taken, path).catch(() => {});
    await removeIfThere(taken);
    return true;
  } catch (error) {
    if (fileErrorCode(error) === "ENOENT") return true;
    throw error;
  }
}

async function holderOf(path: string): Promise<string | undefined> {
  try {
    return await fileSystem().readFile(path, "utf8");
  } catch (error) {
    if (fileErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
