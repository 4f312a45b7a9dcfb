import { ConnectionPool } from "./connection_pool.ts";
import { readPostgresAddress } from "./postgres_address.ts";
import type { SqlClient } from "./sql_client.ts";

/** Options of {@linkcode connectPostgres}. */
export interface ConnectOptions {
  /** The most connections at a time. Default: 4. */
  readonly connections?: number;
}

/** Connections to a server, and the index in it that an address names. */
export interface PostgresConnection extends SqlClient, AsyncDisposable {
  /** The index's schema. */
  readonly schema: string;
  /** The address without its password, for messages. */
  readonly name: string;
}

/** Seconds until a host that does not answer is given up. */
const CONNECT_TIMEOUT = 10;
/** A day. */
const MAX_CONNECT_TIMEOUT = 86_400;
/** Seconds that statements under way have when the connections are closed. */
const CLOSE_TIMEOUT = 5;

/**
 * Connects to the server of an address `postgres://user:password@host:port/database?schema=NAME`, by postgres.js.
 * Its other parameters are the driver's (`sslmode`) and the server's (`maintenance_work_mem`).
 *
 * @throws {Error} if it cannot; the message says why and has no password.
 */
export async function connectPostgres(
  address: string,
  { connections = 4 }: ConnectOptions = {},
): Promise<PostgresConnection> {
  const { url, schema, name } = readPostgresAddress(address);
  const timeout = timeoutOf(url, name);
  const { default: postgres } = await import("postgres");
  const pool = new ConnectionPool(
    (onclose) =>
      postgres(url.href, {
        max: 1,
        // Poolers such as PgBouncer give each transaction another connection, which knows no prepared statement.
        prepare: false,
        connect_timeout: timeout,
        // Not in the middle of a transaction.
        max_lifetime: 0,
        // It would ask for types of arrays first; a connection that breaks meanwhile ends the process.
        fetch_types: false,
        connection: { application_name: "vit-msn" },
        onnotice: () => {},
        onclose,
      }),
    connections,
    timeout * 1000,
  );
  try {
    await pool.query("select 1");
  } catch (error) {
    await pool.close(0);
    throw new Error(`Cannot connect to ${name}: ${reasonOf(error, url)}`, { cause: error });
  }
  return {
    query: (sql, values) => pool.query(sql, values),
    transaction: (run) => pool.transaction(run),
    schema,
    name,
    [Symbol.asyncDispose]: () => pool.close(CLOSE_TIMEOUT),
  };
}

/** The seconds that an address gives a server to answer. */
function timeoutOf(url: URL, name: string): number {
  const text = url.searchParams.get("connect_timeout");
  if (text === null) return CONNECT_TIMEOUT;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= MAX_CONNECT_TIMEOUT) return seconds;
  throw new RangeError(
    `Cannot connect to ${name}: connect_timeout is ${text}; give seconds, up to ${MAX_CONNECT_TIMEOUT}`,
  );
}

function reasonOf(error: unknown, url: URL): string {
  const { code, message } = error as { code?: string; message: string };
  const { username, hostname, pathname, searchParams } = url;
  const host = url.host === "" ? "PGHOST or localhost, as the address names no host" : url.host;
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `there is no host ${hostname}, or no network`;
    case "ECONNREFUSED":
      return `no server answers at ${host}; start it, or correct the address`;
    case "CONNECT_TIMEOUT":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `${host} does not answer; check the address and the firewall`;
    case "CONNECTION_CLOSED":
    case "ECONNRESET":
    case "EPIPE":
      return `${host} closes the connection; ${
        searchParams.has("sslmode")
          ? "it may not speak TLS, which sslmode asks for"
          : "see the server's log"
      }`;
    case "28P01":
      return `the server refuses the password of ${username}; correct it in the address, or set PGPASSWORD`;
    case "28000":
      return username === ""
        ? `the server refuses a connection without a user (${message}); write postgres://USER@…`
        : `the server refuses ${username} (${message})`;
    case "3D000":
      return `there is no database ${
        decodeURIComponent(pathname.slice(1))
      }; make it with \`createdb\``;
    case "53300":
      return `the server has no free connection (${message}); try again later`;
  }
  return message;
}
