import type { Arena } from "./arena.ts";
import { STRUCTS } from "./structs.ts";

/** A class of the kernels. */
export type StructName = keyof typeof STRUCTS;

/** The name of a field. */
type FieldName<N extends StructName> = keyof typeof STRUCTS[N]["fields"];

/** The values of its fields. */
export type Struct<N extends StructName> = Readonly<Record<FieldName<N>, number>>;

/** The bytes of one. */
export function structBytes(name: StructName): number {
  return STRUCTS[name].bytes;
}

/** Writes fields of one; the others stay as they are. */
export function writeStruct<N extends StructName>(
  arena: Arena,
  name: N,
  place: number,
  values: Partial<Struct<N>>,
): void {
  writeFields(arena, STRUCTS[name], place, values);
}

/** A class of kernels: the bytes of one, and of each field the type and the offset in bytes. */
export interface StructLayout {
  readonly bytes: number;
  readonly fields: Readonly<Record<string, readonly [type: string, offset: number]>>;
}

/** Writes fields of a class of any module. */
export function writeFields(
  arena: Arena,
  { bytes, fields }: StructLayout,
  place: number,
  values: Readonly<Record<string, number | undefined>>,
): void {
  const view = new DataView(arena.memory.buffer, place, bytes);
  for (const [field, [type, offset]] of Object.entries(fields)) {
    const value = values[field];
    if (value === undefined) continue;
    if (type === "f32") view.setFloat32(offset, value, true);
    else view.setUint32(offset, value, true);
  }
}

/** Reserves a new one. */
export function putStruct<N extends StructName>(arena: Arena, name: N, values: Struct<N>): number {
  const place = arena.reserve(structBytes(name));
  writeStruct(arena, name, place, values);
  return place;
}

/** Where a field of the one at `place` is. */
export function fieldPlace<N extends StructName>(
  name: N,
  place: number,
  field: FieldName<N>,
): number {
  const fields: Readonly<Record<PropertyKey, readonly [string, number]>> = STRUCTS[name].fields;
  return place + fields[field]![1];
}
