import type * as v from "valibot";
import { Problem } from "./problem.ts";
import { shorten } from "./validate.ts";

/** A schema of named members, as `v.strictObject` makes it. */
type ParametersSchema = v.GenericSchema & { readonly entries: Readonly<Record<string, object>> };

/**
 * Turns the texts of a query or a form into what JSON would have: numbers, booleans and lists where the
 * schema has them. What it does not know, and what cannot be turned, stays text, for the schema to refuse.
 *
 * @throws {Problem} 400 if what is no list is given more than once.
 */
export function textParameters(
  entries: Iterable<readonly [name: string, text: string]>,
  schema: ParametersSchema,
): Record<string, unknown> {
  const texts = new Map<string, string[]>();
  for (const [name, text] of entries) texts.set(name, [...texts.get(name) ?? [], text]);
  const values = [...texts].map(([name, given]) => {
    const kind = kindOf(Object.hasOwn(schema.entries, name) ? schema.entries[name] : undefined);
    if (kind === "array") return [name, given];
    if (given.length > 1) throw givenTwice(name);
    return [name, valueOf(given[0]!, kind)];
  });
  return Object.fromEntries(values);
}

/**
 * Joins parameters of several places of a request.
 *
 * @throws {Problem} 400 if one is given in two of them.
 */
export function joinParameters(
  ...places: readonly Readonly<Record<string, unknown>>[]
): Record<string, unknown> {
  const names = places.flatMap(Object.keys);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw givenTwice(twice);
  return Object.assign({}, ...places);
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
