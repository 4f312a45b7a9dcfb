import type { Arena } from "./arena.ts";

// The classes of wasm/assembly/vit_msn/: their fields in the same order, four bytes each.

const LINEAR = ["dtype", "inputs", "outputs", "weight", "scale", "bias"] as const;

const SCRATCH = [
  "normal",
  "normalStride",
  "hidden",
  "hiddenStride",
  "quantized",
  "quantizedStride",
  "rowScale",
  "rowStart",
  "scores",
  "scoresStride",
  "panel",
  "tile",
  "progress",
] as const;

const TARGET = ["kind", "data", "stride", "row", "headSize", "activation"] as const;

const MEETING = ["arrived", "round", "isOff"] as const;

const PLAN = [
  "tokens",
  "width",
  "heads",
  "headSize",
  "scoreScale",
  "layers",
  "epsilon",
  "activation",
  "blockRows",
  "lastTokens",
  "pixels",
  "channels",
  "imageHeight",
  "imageWidth",
  "patchHeight",
  "patchWidth",
  "patches",
  "mask",
  "maskToken",
  "cls",
  "positions",
  "patchEmbeddings",
  "blocks",
  "normWeight",
  "normBias",
  "classifier",
  "states",
  "output",
  "stateStride",
  "queries",
  "queryStride",
  "keys",
  "values",
  "keyBytes",
  "attentions",
  "logits",
  "meeting",
] as const;

const BLOCK = [
  "normBeforeWeight",
  "normBeforeBias",
  "query",
  "key",
  "value",
  "attentionOutput",
  "normAfterWeight",
  "normAfterBias",
  "intermediate",
  "output",
] as const;

/** The fields of each class. */
export const FIELDS = {
  Linear: LINEAR,
  Scratch: SCRATCH,
  Target: TARGET,
  Meeting: MEETING,
  Plan: PLAN,
  Block: BLOCK,
} as const;

/** The fields that are f32; the others are i32 or pointers. */
const FLOATS: ReadonlySet<string> = new Set(["scoreScale", "epsilon"]);

/** A class of the kernels. */
export type StructName = keyof typeof FIELDS;

/** The values of its fields. */
export type Struct<N extends StructName> = Readonly<Record<typeof FIELDS[N][number], number>>;

/** How many bytes one has. */
export function structBytes(name: StructName): number {
  return 4 * FIELDS[name].length;
}

/** Writes fields of one; the others stay as they are. */
export function writeStruct<N extends StructName>(
  arena: Arena,
  name: N,
  place: number,
  values: Partial<Struct<N>>,
): void {
  const view = new DataView(arena.memory.buffer, place, structBytes(name));
  const given = values as Readonly<Record<string, number | undefined>>;
  FIELDS[name].forEach((field, i) => {
    const value = given[field];
    if (value === undefined) return;
    if (FLOATS.has(field)) view.setFloat32(4 * i, value, true);
    else view.setUint32(4 * i, value, true);
  });
}

/** Reserves a new one. */
export function putStruct<N extends StructName>(arena: Arena, name: N, values: Struct<N>): number {
  const place = arena.reserve(structBytes(name));
  writeStruct(arena, name, place, values);
  return place;
}

/** Where a field of one is. */
export function fieldPlace<N extends StructName>(
  name: N,
  place: number,
  field: typeof FIELDS[N][number],
): number {
  return place + 4 * (FIELDS[name] as readonly string[]).indexOf(field);
}
