/** A row by its columns' names. A bigint is a number or a string, as the driver likes: pass it to `Number`. */
export type SqlRow = Record<string, unknown>;

/**
 * What an index needs of a Postgres driver: postgres.js, PGlite and others fit in a few lines. Values are strings,
 * numbers, booleans, null and arrays of them; vectors, bytes and JSON travel as text and are cast in SQL, which
 * every driver can do.
 */
export interface SqlClient {
  /**
   * Runs one statement with values for `$1`, `$2` …, or, without values, a script of several statements.
   *
   * @returns the rows of the (last) statement.
   */
  query(sql: string, values?: readonly unknown[]): Promise<SqlRow[]>;
  /** Runs a function in a transaction, which is committed when it resolves and rolled back when it rejects. */
  transaction<T>(run: (client: SqlClient) => Promise<T>): Promise<T>;
}
