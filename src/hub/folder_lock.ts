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
      await removeStale(path, stale);
      await delay(poll, signal ? { signal } : {});
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

/** Removes a stale lock. One at a time does so: another could remove the lock of who came next. */
async function removeStale(path: string, stale: number): Promise<void> {
  if (!await isStale(path, stale)) return;
  const removal = `${path}.removal`;
  if (!await make(removal, "")) {
    if (await isStale(removal, stale)) await removeIfThere(removal);
    return;
  }
  try {
    if (await isStale(path, stale)) await removeIfThere(path);
  } finally {
    await removeIfThere(removal);
  }
}

async function isStale(path: string, stale: number): Promise<boolean> {
  try {
    return Date.now() - (await fileSystem().stat(path)).mtimeMs > stale;
  } catch (error) {
    if (fileErrorCode(error) === "ENOENT") return false;
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
