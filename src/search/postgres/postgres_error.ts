/** What Postgres and its drivers call an error. */
function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" ? code : "";
}

/** The server ended, or its connection: the same call may succeed a moment later. */
const BROKEN =
  /^(08...|57P0[123]|53300|CONNECTION_\w+|CONNECT_TIMEOUT|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;

/** Another transaction was in the way: a deadlock, or its changes; or a vector was forgotten meanwhile. */
const CONFLICT = /^(40001|40P01|23503)$/;

/** Whether the connection to a server broke, or there was none. */
export function isConnectionBroken(error: unknown): boolean {
  return BROKEN.test(codeOf(error));
}

/** Whether the same transaction may succeed when it is run again. */
export function isTransient(error: unknown): boolean {
  return isConnectionBroken(error) || CONFLICT.test(codeOf(error));
}

/** An error that names what cannot be done with which index, and what to do. */
export function postgresError(what: string, error: unknown): Error {
  return new Error(`Cannot ${what}: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  const again = "what was written is kept, so run the same command again";
  if (isConnectionBroken(error)) {
    return `the connection to the server broke (${message || code}); ${again}`;
  }
  if (CONFLICT.test(code)) return `other processes were in the way (${message}); ${again}`;
  switch (code) {
    case "53100":
      return `the server's disk is full (${message}); ${again} when there is room`;
    case "25006":
      return `the database is read-only (${message}); use the primary server`;
    case "42501":
      return `${message}; ask its owner to grant that`;
    case "57014":
      return `${message}; give it more time with ?statement_timeout=0 in the address, and run it again`;
  }
  return message;
}
