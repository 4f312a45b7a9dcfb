import { DEFAULT_SCHEMA } from "../../src/search/postgres/index_schema.ts";

/** The settings of the function that only it has. */
export interface IndexSettings {
  /** The address of the index's database. */
  readonly databaseUrl: string;
  /** The index's schema in it. */
  readonly schema: string;
  /** The project's address, below which Storage is. */
  readonly projectUrl: URL;
  /** The key with which Storage is read. */
  readonly serviceKey: string;
  /** Requests must bring one of them. */
  readonly keys: readonly [string, ...string[]];
}

/** What a header can carry (RFC 6750); a shorter one could be guessed. */
const SECRET = /^[A-Za-z0-9._~+\/-]{16,}=*$/;

/**
 * Reads the settings `SUPABASE_DB_URL`, `SUPABASE_URL` and `SUPABASE_SERVICE_ROLE_KEY`, which Supabase sets itself,
 * and `INDEX_SECRET` and `INDEX_SCHEMA`.
 *
 * @throws {Error} if one is missing or cannot be used; the message names it and has no secret.
 */
export function readIndexSettings(env: Pick<Deno.Env, "get">): IndexSettings {
  const required = (name: string) => {
    const value = env.get(name);
    if (value) return value;
    throw new Error(`Cannot start: ${name} is not set; Supabase sets it, and elsewhere you do`);
  };
  const projectUrl = URL.parse(required("SUPABASE_URL"));
  if (!projectUrl || !/^https?:$/.test(projectUrl.protocol)) {
    throw new Error("Cannot use SUPABASE_URL: it is no URL with http or https");
  }
  const serviceKey = required("SUPABASE_SERVICE_ROLE_KEY");
  const secret = env.get("INDEX_SECRET");
  if (secret && !SECRET.test(secret)) {
    throw new Error(
      "Cannot use INDEX_SECRET: it is not 16 or more letters, digits and . _ ~ + / -; make one with " +
        "`openssl rand -hex 32`",
    );
  }
  return {
    databaseUrl: required("SUPABASE_DB_URL"),
    schema: env.get("INDEX_SCHEMA") || DEFAULT_SCHEMA,
    projectUrl,
    serviceKey,
    keys: secret ? [serviceKey, secret] : [serviceKey],
  };
}
