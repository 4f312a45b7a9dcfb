import * as v from "valibot";

/** Longer values are truncated in messages. */
const MAX_QUOTED = 200;

/**
 * Validates a file's parsed JSON against a schema.
 *
 * @param what the name of the document, for the error message.
 * @returns the schema's output.
 * @throws {TypeError} if validation fails; the message names the first invalid member, its value and
 * the expected one.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * import * as v from "valibot";
 * import { checkedJson } from "./checked_json.ts";
 *
 * const schema = v.object({ width: v.number("a number") });
 * assertEquals(checkedJson(schema, { width: 3 }, "the size"), { width: 3 });
 * const message = 'Cannot read the size: width is "3", not a number';
 * assertThrows(() => checkedJson(schema, { width: "3" }, "the size"), TypeError, message);
 * ```
 */
export function checkedJson<S extends v.GenericSchema>(
  schema: S,
  json: unknown,
  what: string,
): v.InferOutput<S> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError(`Cannot read ${what}: it is not a JSON object`);
  }
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [{ path = [], message, input }] = result.issues;
  const name = path.map(({ key }) => key).join(".");
  const value = JSON.stringify(path.at(-1)?.value ?? input) ?? "missing";
  const quoted = value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED)}…` : value;
  throw new TypeError(`Cannot read ${what}: ${name} is ${quoted}, not ${message}`);
}

const POSITIVE = "a positive number";

/** Accepts a finite number above 0. */
export const positive = v.pipe(v.number(POSITIVE), v.gtValue(0, POSITIVE), v.finite(POSITIVE));

/** Returns a schema for an integer from 1 to `max`. */
export function count(max: number) {
  const expected = `an integer from 1 to ${max}`;
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(1, expected),
    v.maxValue(max, expected),
  );
}
