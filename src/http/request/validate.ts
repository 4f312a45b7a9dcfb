import * as v from "valibot";
import { Problem } from "../problem.ts";

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
  // A schema says what it expects; a rule of a value, such as being an integer, has it in its message.
  const expected = issue.kind === "schema" ? issue.expected : issue.message;
  throw new Problem(400, `${shorten(name)} is ${shorten(issue.received)}, not ${expected}`);
}

/** Quotes a client's text, or its beginning. */
export function shorten(text: string): string {
  const printable = text.slice(0, MAX_QUOTED).replaceAll(/\p{C}/gu, "\ufffd");
  return text.length > MAX_QUOTED ? `${printable}…` : printable;
}
