// Pickles as text: one character a byte, opcodes as the letters that `pickletools` shows.

/** The bytes of a text. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** 32 bits, little-endian. */
export function uint32(value: number): string {
  return String.fromCharCode(...[0, 8, 16, 24].map((shift) => value >>> shift & 255));
}

/** A pickle of protocol 2. */
export function pickle(content: string): Uint8Array {
  return latin1(`\x80\x02${content}.`);
}

export function string(ascii: string): string {
  return `X${uint32(ascii.length)}${ascii}`;
}

/** As BININT, or as LONG1 of 8 bytes where that is too narrow. */
export function integer(value: number): string {
  if (value === (value | 0)) return `J${uint32(value)}`;
  const bits = BigInt.asUintN(64, BigInt(value));
  return `\x8a\x08${uint32(Number(bits & 0xffffffffn))}${uint32(Number(bits >> 32n))}`;
}

export function tuple(...items: string[]): string {
  return `(${items.join("")}t`;
}

export function dict(entries: Readonly<Record<string, string>>): string {
  return `}(${Object.entries(entries).map(([key, value]) => string(key) + value).join("")}u`;
}

export function global(module: string, name: string): string {
  return `c${module}\n${name}\n`;
}

/** An empty one, as state dicts are. */
export const ORDERED_DICT = `${global("collections", "OrderedDict")})R`;

/** A tensor as `torch.save` writes it. */
export function tensor(
  { type = "FloatStorage", key = "0", length = 6, offset = 0, shape, strides }: {
    type?: string;
    key?: string;
    /** Elements of the storage. */
    length?: number;
    offset?: number;
    shape: readonly number[];
    strides: readonly number[];
  },
): string {
  const id = tuple(
    string("storage"),
    global("torch", type),
    string(key),
    string("cpu"),
    integer(length),
  );
  const [sizes, steps] = [shape, strides].map((numbers) => tuple(...numbers.map(integer)));
  const args = tuple(`${id}Q`, integer(offset), sizes!, steps!, "\x89", ORDERED_DICT);
  return `${global("torch._utils", "_rebuild_tensor_v2")}${args}R`;
}
