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
  readonly #timeout: number;

  /**
   * @param open makes a client of one connection.
   * @param size the most connections.
   * @param timeout the milliseconds that a connection may take to open.
   */
  constructor(open: (onclose: () => void) => postgres.Sql, size: number, timeout: number) {
    this.#open = open;
    this.#size = size;
    this.#timeout = timeout;
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
    if (connection.isClosed) throw connectionError("CONNECTION_CLOSED");
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
    let connection: Connection | undefined;
    try {
      connection = await this.#take();
      return await run(connection);
    } finally {
      if (connection && !connection.isClosed) this.#idle.push(connection);
      this.#waiting.shift()?.();
    }
  }

  async #take(): Promise<Connection> {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle && !idle.isClosed) return idle;
      if (!idle && this.#all.size < this.#size) return await this.#connect();
      if (!idle) await new Promise<void>((ready) => this.#waiting.push(ready));
    }
  }

  /**
   * Opens a connection. The driver would connect again and again, without an end, to a server that closes new
   * connections at once, as proxies do whose own server is down.
   */
  async #connect(): Promise<Connection> {
    const connection = this.#begin();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(connectionError("CONNECT_TIMEOUT")), this.#timeout);
    });
    try {
      await Promise.race([this.#send(connection, "select 1"), late]);
      return connection;
    } catch (error) {
      this.#discard(connection);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #begin(): Connection {
    let reject: (error: Error) => void;
    const closed = new Promise<never>((_, fail) => reject = fail);
    closed.catch(() => {}); // nobody may be waiting
    const sql = this.#open(() => {
      this.#discard(connection);
      reject(connectionError("CONNECTION_CLOSED"));
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

/** A value without an array: that is its text, since the driver does not ask the server for its types of arrays. */
function withoutArray(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const items = value.map((item: unknown) =>
    item === null ? "NULL" : `"${String(item).replaceAll(/["\\]/g, "\\$&")}"`
  );
  return `{${items.join(",")}}`;
}

function connectionError(code: "CONNECTION_CLOSED" | "CONNECT_TIMEOUT"): Error {
  const message = code === "CONNECT_TIMEOUT" ? "it took too long to open" : "it was closed";
  return Object.assign(new Error(message), { code });
}
