import * as v from "valibot";
import { Problem } from "./problem.ts";

/** How much of what a client sent is quoted back to it. */
const MAX_QUOTED = 80;

/**
 * Holds a client's value against a schema.
 *
 * @throws {Problem} 400 that names the first member that does not fit.
 */
export function validate<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const name = v.getDotPath(issue) ?? "the request";
  if (issue.expected === "never") {
    throw new Problem(400, `${shorten(name)} is no parameter here`);
  }
  if (issue.received === "undefined") throw new Problem(400, `${shorten(name)} is missing`);
  const expected = issue.type === "check" ? issue.message : issue.expected ?? issue.message;
  throw new Problem(400, `${shorten(name)} is ${shorten(issue.received)}, not ${expected}`);
}

/** Quotes a client's text, or its beginning. */
export function shorten(text: string): string {
  const printable = text.replaceAll(/\p{C}/gu, "\ufffd");
  return printable.length > MAX_QUOTED ? `${printable.slice(0, MAX_QUOTED)}…` : printable;
}

/**
 * Reads JSON.
 *
 * @throws {Problem} 400 if it is none.
 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, "The request's body is not JSON");
  }
}
