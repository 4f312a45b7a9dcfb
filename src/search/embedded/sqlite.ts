import { nodeBuiltin, type NodeBuiltins } from "../../host/node_builtin.ts";

/** The module `node:sqlite`. */
export type Sqlite = NodeBuiltins["node:sqlite"];
/** An open database. */
export type Database = InstanceType<Sqlite["DatabaseSync"]>;

/** How long a statement waits for another process, in milliseconds. */
const BUSY_TIMEOUT = 10_000;

/**
 * Returns the host's SQLite.
 *
 * @throws {Error} if it has none.
 */
export function sqlite(): Sqlite {
  const module = nodeBuiltin("node:sqlite");
  if (module) return module;
  throw new Error(
    "Cannot open an index: this host has no node:sqlite; use Deno 2.2, Node.js 22.13, or a later one",
  );
}

/** Opens a database file. */
export function openDatabase(path: string, readOnly: boolean): Database {
  const { DatabaseSync } = sqlite();
  const db = new DatabaseSync(path, { readOnly });
  db.exec(`pragma busy_timeout = ${BUSY_TIMEOUT}`);
  return db;
}

/** Runs a function in a transaction: all that it writes is there afterwards, or nothing. */
export function inTransaction<T>(db: Database, run: () => T): T {
  db.exec("begin immediate");
  try {
    const result = run();
    db.exec("commit");
    return result;
  } catch (error) {
    try {
      db.exec("rollback");
    } catch {
      // a full disk has ended the transaction already
    }
    throw error;
  }
}

/** Whether an error is SQLite's for a file that another process has locked. */
export function isBusy(error: unknown): boolean {
  return (error as { errcode?: number } | undefined)?.errcode === 5 ||
    error instanceof Error && /database is locked/.test(error.message);
}
