import { nodeBuiltin } from "../../host/node_builtin.ts";
import { openError } from "./open_error.ts";
import { type Database, isBusy, sqlite } from "./sqlite.ts";

/** How often a lock is asked for again, in milliseconds. */
const INTERVAL = 100;
/** Two processes that ask at the same moment may both be refused: the first time, they ask again within so long. */
const FIRST_INTERVAL = 30;

/** Options of {@linkcode WriterLock.take}. */
export interface LockOptions {
  /** Called once if another process has the lock. */
  readonly onWait?: (() => void) | undefined;
  /** Stops waiting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lets one process at a time write to an index, for as long as it likes. The lock is SQLite's own, on an empty
 * file beside the index: the system takes it back when the process ends, however it ends.
 */
export class WriterLock implements Disposable {
  readonly #db: Database;

  private constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Waits for the lock and takes it.
   *
   * @param path of the index; the empty file is created if it is missing.
   * @throws the signal's reason if it stops the wait.
   */
  static async take(path: string, { onWait, signal }: LockOptions = {}): Promise<WriterLock> {
    const db = lockFile(path);
    try {
      for (let refused = 0;; refused++) {
        signal?.throwIfAborted();
        if (isTaken(db)) return new WriterLock(db);
        if (refused === 1) onWait?.();
        const interval = refused === 0 ? FIRST_INTERVAL * Math.random() : INTERVAL;
        await new Promise((resolve) => setTimeout(resolve, interval));
      }
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** Gives the lock back. */
  [Symbol.dispose](): void {
    this.#db.close();
  }
}

function lockFile(path: string): Database {
  const { DatabaseSync } = sqlite();
  try {
    if (nodeBuiltin("node:fs")!.statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      throw new Error("it is a folder"); // before there is a lock beside it
    }
    return new DatabaseSync(`${path}.lock`);
  } catch (error) {
    throw openError(error, path);
  }
}

/** Whether the lock is now this process's. */
function isTaken(db: Database): boolean {
  try {
    db.exec("begin exclusive");
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}
