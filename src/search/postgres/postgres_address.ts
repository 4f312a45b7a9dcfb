import { DEFAULT_SCHEMA, IndexSchema } from "./index_schema.ts";

/** What the address of an index in Postgres says. */
export interface PostgresAddress {
  /** The server and the database, for a driver. */
  readonly url: URL;
  /** The index's schema. */
  readonly schema: string;
  /** The address without its password, for messages. */
  readonly name: string;
}

/** Whether a text is the address of a Postgres server. */
export function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//i.test(text);
}

/**
 * Reads an address `postgres://user:password@host:port/database?schema=NAME`.
 *
 * @throws {TypeError} if it is not valid; the message does not repeat it, as it may have a password.
 * @throws {RangeError} if the schema has no name of an index.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readPostgresAddress } from "./postgres_address.ts";
 *
 * const { schema, name } = readPostgresAddress("postgres://me:secret@db/photos?schema=pets");
 * assertEquals([schema, name], ["pets", "postgres://me@db/photos?schema=pets"]);
 * ```
 */
export function readPostgresAddress(address: string): PostgresAddress {
  let url: URL;
  try {
    if (!isPostgresUrl(address)) throw new TypeError("another protocol");
    url = new URL(address);
    // What a password without codes leaves behind: messages would show it.
    if (url.hash !== "" || /[@:]|\/./.test(url.pathname.slice(1)) || url.search.includes("@")) {
      throw new TypeError("special characters");
    }
    // The driver decodes them.
    [url.username, url.password, url.pathname].forEach(decodeURIComponent);
  } catch {
    throw new TypeError(
      "Cannot read the address of the index: it is no postgres://user:password@host:port/database; write " +
        "special characters of the password by their codes, such as %23 for #",
    );
  }
  const schema = url.searchParams.get("schema") ?? DEFAULT_SCHEMA;
  new IndexSchema(schema); // checks the name
  url.searchParams.delete("schema");
  const user = url.username === "" ? "" : `${url.username}@`;
  const suffix = schema === DEFAULT_SCHEMA ? "" : `?schema=${schema}`;
  return { url, schema, name: `postgres://${user}${url.host}${url.pathname}${suffix}` };
}
