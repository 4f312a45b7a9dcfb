import { nodeBuiltin } from "../../host/node_builtin.ts";
import type { IndexedModel } from "../vector_index.ts";
import { NO_VECTORS, writeIndexedModel, writeVectorsMeta } from "./index_meta.ts";
import { APPLICATION_ID, INDEX_VERSION, SCHEMA } from "./schema.ts";
import { openError } from "./open_error.ts";
import { type Database, inTransaction, openDatabase, sqlite } from "./sqlite.ts";

/**
 * Opens an index's database to read it.
 *
 * @throws {Error} if there is none, or it is no index of this version; the message names it.
 */
export function openToRead(path: string): Database {
  return opened(path, () => {
    if (nodeBuiltin("node:fs")!.statSync(path).isDirectory()) throw new Error("it is a folder");
    return openDatabase(path, true);
  }, (db) => {
    if (assertIndex(db, path) === "new") {
      throw new Error(`it is empty; fill it with \`deno task index SOURCE --db ${path}\``);
    }
  });
}

/**
 * Opens an index's database to write to it, and makes it if there is none.
 *
 * @throws {Error} if it cannot be made, or is no index of this version; the message names it.
 */
export function openToWrite(path: string, model: IndexedModel): Database {
  return opened(path, () => openDatabase(path, false), (db) => {
    const state = assertIndex(db, path);
    // Survives kill -9 and power cuts, and lets others read meanwhile.
    db.exec("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on");
    if (state === "index") return;
    inTransaction(db, () => {
      db.exec(SCHEMA);
      writeIndexedModel(db, model);
      writeVectorsMeta(db, NO_VECTORS);
    });
  });
}

function opened(path: string, open: () => Database, check: (db: Database) => void): Database {
  sqlite(); // throws its own error on hosts without it
  let db: Database | undefined;
  try {
    db = open();
    check(db);
    return db;
  } catch (error) {
    db?.close();
    throw openError(error, path);
  }
}

/**
 * Whether a database is an index or empty.
 *
 * @throws {Error} if another program or a newer version made it.
 */
function assertIndex(db: Database, path: string): "index" | "new" {
  const numberOf = (name: string) =>
    db.prepare(`select * from pragma_${name}`).get()![name] as number;
  const tables = db.prepare("select count(*) as count from sqlite_schema").get()!.count;
  if (tables === 0) return "new";
  if (numberOf("application_id") !== APPLICATION_ID) {
    throw new Error("it is a database of another program; choose another name");
  }
  const version = numberOf("user_version");
  if (version === INDEX_VERSION) return "index";
  throw new Error(
    `it is an index of version ${version}, and this program knows version ${INDEX_VERSION}; update the ` +
      `program, or embed anew with \`deno task index SOURCE --db NEW\`, NEW being another name than ${path}`,
  );
}
