import type * as v from "valibot";
import { Problem } from "../problem.ts";
import { shorten } from "./validate.ts";

/** The schema of a route's parameters, as `v.strictObject` makes it. */
export type ParametersSchema =
  & v.GenericSchema
  & { readonly entries: Readonly<Record<string, v.GenericSchema>> };

/** Parameters of a query or a form: every label of a large model, and the few that are no list. */
export const MAX_PARAMETERS = 2000;

/**
 * Turns the texts of a query or a form into what JSON would have: numbers, booleans and lists where the
 * schema has them. What it does not know, and what cannot be turned, stays text, for the schema to refuse.
 *
 * @throws {Problem} 400 if what is no list is given more than once, 413 if there are more than
 * {@linkcode MAX_PARAMETERS}.
 */
export function textParameters(
  entries: Iterable<readonly [name: string, text: string]>,
  schema: ParametersSchema,
): Map<string, unknown> {
  const values = new Map<string, unknown>();
  let count = 0;
  for (const [name, text] of entries) {
    if (++count > MAX_PARAMETERS) {
      throw new Problem(413, `There are more than ${MAX_PARAMETERS} parameters in the request`);
    }
    const kind = kindOf(Object.hasOwn(schema.entries, name) ? schema.entries[name] : undefined);
    if (kind === "array") {
      const list = values.get(name) as string[] | undefined;
      if (list) list.push(text);
      else values.set(name, [text]);
    } else if (values.has(name)) throw givenTwice(name);
    else values.set(name, valueOf(text, kind));
  }
  return values;
}

/**
 * Joins parameters of several places of a request.
 *
 * @throws {Problem} 400 if one is given in two of them.
 */
export function joinParameters(
  ...places: readonly Iterable<readonly [name: string, value: unknown]>[]
): Record<string, unknown> {
  const joined = new Map<string, unknown>();
  for (const place of places) {
    for (const [name, value] of place) {
      if (joined.has(name)) throw givenTwice(name);
      joined.set(name, value);
    }
  }
  return Object.fromEntries(joined);
}

function givenTwice(name: string): Problem {
  return new Problem(400, `${shorten(name)} is given more than once`);
}

function kindOf(schema: object | undefined): unknown {
  if (!schema) return undefined;
  if ("wrapped" in schema) return kindOf(schema.wrapped as object);
  return "type" in schema ? schema.type : undefined;
}

function valueOf(text: string, kind: unknown): unknown {
  if (kind === "number" && text.trim() !== "" && !Number.isNaN(Number(text))) return Number(text);
  if (kind === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}
