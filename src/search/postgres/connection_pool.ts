import type postgres from "postgres";
import { isConnectionBroken } from "./postgres_error.ts";
import type { SqlClient, SqlRow } from "./sql_client.ts";

/** One connection of postgres.js, which has `max: 1` and is not used again after it closed. */
interface Connection {
  readonly sql: postgres.Sql;
  /** Rejects when it closes. */
  readonly closed: Promise<never>;
  isClosed: boolean;
}

/**
 * Connections of postgres.js, each used by one at a time. The driver's own pool fails if a connection breaks in a
 * transaction: it writes `rollback` to a socket that is gone, which ends the process, or waits forever.
 */
export class ConnectionPool implements SqlClient {
  readonly #open: (onclose: () => void) => postgres.Sql;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #waiting: (() => void)[] = [];
  readonly #size: number;

  /**
   * @param open makes a client of one connection.
   * @param size the most connections.
   */
  constructor(open: (onclose: () => void) => postgres.Sql, size: number) {
    this.#open = open;
    this.#size = size;
  }

  /** @inheritdoc */
  async query(text: string, values?: readonly unknown[]): Promise<SqlRow[]> {
    return await this.#use((connection) => this.#send(connection, text, values));
  }

  /** @inheritdoc */
  async transaction<T>(run: (client: SqlClient) => Promise<T>): Promise<T> {
    return await this.#use(async (connection) => {
      let last: Promise<unknown> = Promise.resolve();
      // One after the other: nothing is sent after the connection closed.
      const query: SqlClient["query"] = (text, values) => {
        const rows = last.then(() => this.#send(connection, text, values));
        last = rows.catch(() => {});
        return rows;
      };
      await query("begin");
      return await inTransaction(query, run, { end: "commit", undo: "rollback", depth: 0 });
    });
  }

  /** Closes the connections, after what is under way, or after some seconds. */
  async close(timeout: number): Promise<void> {
    await Promise.all([...this.#all].map(({ sql }) => sql.end({ timeout })));
  }

  async #send(
    connection: Connection,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<SqlRow[]> {
    if (connection.isClosed) throw closedError();
    const { sql, closed } = connection;
    try {
      const answer = values.length > 0
        ? sql.unsafe(text, values.map(withoutArray) as postgres.ParameterOrJSON<never>[])
        : sql.unsafe(text);
      const result = await Promise.race([answer, closed]);
      // A script has a list of results.
      const last: unknown = Array.isArray(result[0]) ? result.at(-1) : result;
      return [...last as SqlRow[]];
    } catch (error) {
      if (isConnectionBroken(error)) this.#discard(connection);
      throw error;
    }
  }

  async #use<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#take();
    try {
      return await run(connection);
    } finally {
      if (!connection.isClosed) this.#idle.push(connection);
      this.#waiting.shift()?.();
    }
  }

  async #take(): Promise<Connection> {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle && !idle.isClosed) return idle;
      if (!idle && this.#all.size < this.#size) return this.#connect();
      if (!idle) await new Promise<void>((ready) => this.#waiting.push(ready));
    }
  }

  #connect(): Connection {
    let reject: (error: Error) => void;
    const closed = new Promise<never>((_, fail) => reject = fail);
    closed.catch(() => {}); // nobody may be waiting
    const sql = this.#open(() => {
      this.#discard(connection);
      reject(closedError());
    });
    const connection: Connection = { sql, closed, isClosed: false };
    this.#all.add(connection);
    return connection;
  }

  #discard(connection: Connection): void {
    if (connection.isClosed) return;
    connection.isClosed = true;
    this.#all.delete(connection);
    connection.sql.end({ timeout: 0 }).catch(() => {}); // it is closed already
  }
}

/** The statements that end a transaction, or one in it. */
interface Ends {
  readonly end: string;
  readonly undo: string;
  readonly depth: number;
}

async function inTransaction<T>(
  query: SqlClient["query"],
  run: (client: SqlClient) => Promise<T>,
  { end, undo, depth }: Ends,
): Promise<T> {
  let failure: { error: unknown } | undefined;
  const client: SqlClient = {
    async query(text, values) {
      try {
        return await query(text, values);
      } catch (error) {
        failure ??= { error };
        throw error;
      }
    },
    async transaction(run) {
      const savepoint = `s${depth}`;
      await client.query(`savepoint ${savepoint}`);
      return await inTransaction(query, run, {
        end: `release savepoint ${savepoint}`,
        undo: `rollback to savepoint ${savepoint}`,
        depth: depth + 1,
      });
    },
  };
  try {
    const result = await run(client);
    // Postgres answers a commit after an error as if it had been one.
    if (failure) throw failure.error;
    await query(end);
    return result;
  } catch (error) {
    await query(undo).catch(() => {}); // the connection is closed
    throw error;
  }
}

/**
 * A value without an array: that is its text. The driver asks the server how to write arrays when it connects, but
 * may write the first query of a connection before it knows.
 */
function withoutArray(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const items = value.map((item: unknown) =>
    item === null ? "NULL" : `"${String(item).replaceAll(/["\\]/g, "\\$&")}"`
  );
  return `{${items.join(",")}}`;
}

function closedError(): Error {
  return Object.assign(new Error("it was closed"), { code: "CONNECTION_CLOSED" });
}
