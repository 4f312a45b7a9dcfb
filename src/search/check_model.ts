import type { IndexedModel } from "./vector_index.ts";

/** An index, as messages name it. */
interface NamedIndex {
  /** Its path, or its address without the password. */
  readonly name: string;
  readonly model: IndexedModel;
  readonly sources: readonly string[];
}

/**
 * Checks that vectors of a model can be compared with those of an index.
 *
 * @throws {Error} if another model made the index, or the same one otherwise; it says how to embed anew.
 */
export function assertSameModel(
  { name, model: own, sources }: NamedIndex,
  model: IndexedModel,
): void {
  const differences = [
    own.sha256 !== model.sha256
      ? `${nameOf(own)} (${weightsOf(own)}SHA-256 ${own.sha256.slice(0, 12)}…) made its ` +
        `vectors, not ${nameOf(model)} (${weightsOf(model)}${model.sha256.slice(0, 12)}…)`
      : "",
    own.pool !== model.pool
      ? `its vectors were made with --pool ${own.pool}, not ${model.pool}`
      : "",
    own.decode !== model.decode
      ? `its images were decoded with --decode ${own.decode}, not ${model.decode}`
      : "",
    own.dimension !== model.dimension
      ? `its vectors have ${own.dimension} numbers, not ${model.dimension}`
      : "",
  ].filter((text) => text !== "");
  if (differences.length === 0) return;
  const command = [
    "deno task index",
    ...sources.map((source) => `'${source}'`),
    "--db NEW",
    model.name === "" ? "" : `--model '${model.name}'`,
    `--pool ${model.pool} --decode ${model.decode}`,
  ].filter((text) => text !== "").join(" ");
  throw new Error(
    `Cannot use the index ${name}: ${
      differences.join("; ")
    }; use what it was made with, or embed anew ` +
      `with \`${command}\`, NEW being another file, or another ?schema= on Postgres`,
  );
}

/** How messages name a model; the embedded one has no name. */
function nameOf({ name }: IndexedModel): string {
  return name === "" ? "the embedded model" : `the model ${name}`;
}

/** The type of a model's weights as a part of a list; a model of the same name may have been converted anew. */
function weightsOf({ dtype }: IndexedModel): string {
  return dtype === undefined ? "" : `${dtype}, `;
}
