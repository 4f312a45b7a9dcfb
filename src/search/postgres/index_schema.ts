/** The schema of an index whose address names none. */
export const DEFAULT_SCHEMA = "vit_msn";

/** Postgres' limit is 63; a queue adds to the name. */
const MAX_NAME = 50;

/**
 * Where an index lies in a database: a schema of its own, and the schema of pgvector's types and operators, which
 * need not be on the search path.
 */
export class IndexSchema {
  /** The name. */
  readonly name: string;
  readonly #vector: string;

  /**
   * Checks the name.
   *
   * @param name of lower-case letters, digits and `_`.
   * @param vectorSchema where the extension `vector` is installed.
   * @throws {RangeError} if the name is another one.
   */
  constructor(name: string, vectorSchema: string = "public") {
    if (!/^[a-z_][a-z0-9_]*$/.test(name) || name.length > MAX_NAME || name.startsWith("pg_")) {
      throw new RangeError(
        `Cannot use the schema ${
          JSON.stringify(name)
        }: give up to ${MAX_NAME} lower-case letters, digits and ` +
          "_, no digit first, and not pg_",
      );
    }
    this.name = name;
    this.#vector = vectorSchema;
  }

  /** A table or sequence of the index, for SQL. */
  table(name: string): string {
    return `${quoted(this.name)}.${quoted(name)}`;
  }

  /** A type of pgvector, for SQL. */
  type(name: string): string {
    return `${quoted(this.#vector)}.${name}`;
  }

  /** An operator of pgvector, for SQL. */
  operator(symbol: string): string {
    return `operator(${quoted(this.#vector)}.${symbol})`;
  }

  /** The search path of migrations, for SQL. */
  get searchPath(): string {
    return [this.name, this.#vector, "public"].map(quoted).join(", ");
  }
}

/** A name for SQL. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
