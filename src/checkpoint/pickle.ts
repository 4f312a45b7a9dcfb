// The file is long because the unpickler is one state machine: its opcodes share the stack and the limits.

import { OPCODES } from "./pickle_opcodes.ts";

/** A Python tuple. Lists become arrays, so tuples need a class of their own. */
export class Tuple {
  /** The elements. */
  readonly items: readonly unknown[];

  /** Only the unpickler calls this. */
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** The globals and external objects that a pickle may use; any other global is rejected. */
export interface Unpicklable {
  /**
   * By module and name, such as `torch.FloatStorage`. The pickle can call a function with arguments
   * of its own choice; anything else is a value.
   */
  readonly globals: ReadonlyMap<string, unknown>;
  /** Returns the object that is stored outside the pickle under a persistent id. */
  persistentLoad(id: unknown): unknown;
}

/** ViT-L with its optimizer needs 0.2 MB. Objects take up to about ten times their pickle's size. */
const MAX_PICKLE_BYTES = 4_000_000;
/** Python's pickler keeps at most 2,000 values on the stack, except for a long tuple's. */
const MAX_STACK = 100_000;
/** ViT-L with its optimizer needs about 10,000. */
const MAX_MEMO = 1_000_000;
/** Per line of a GLOBAL opcode. Names in Python's libraries are far shorter. */
const MAX_GLOBAL_BYTES = 256;
/** An integer of 2,000 bits; parsing takes time quadratic in its length. */
const MAX_LONG_BYTES = 255;

/** More than any function in `globals` takes. */
const MAX_ARGUMENTS = 16;

const ORDERED_DICT = "collections.OrderedDict";

/**
 * Reads a pickle of protocol 2 to 5 that consists of plain values (None, bools, numbers, strings,
 * lists, tuples, dicts and OrderedDicts) and of the globals in `world`. A pickle is a program that can
 * call any Python function. This reader rejects a global that is not in `world` as soon as the pickle
 * names it, so a pickle can call only the functions in `world`.
 *
 * It does not recurse, and it limits the size of the stack, the memo and the pickle.
 *
 * @returns null for None, boolean, number (bigint beyond 2⁵³), string, array for a list,
 * {@linkcode Tuple}, `Map` for a dict. Containers may contain themselves.
 * @throws {SyntaxError} if the pickle is damaged, too large, or names another global.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * import { unpickle } from "./pickle.ts";
 *
 * const world = { globals: new Map(), persistentLoad: () => null };
 * const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
 * assertEquals(unpickle(bytes("\x80\x02](K\x01K\x02e."), world), [1, 2]);
 * assertThrows(
 *   () => unpickle(bytes("\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R."), world),
 *   SyntaxError,
 *   '"os.system"',
 * );
 * ```
 */
export function unpickle(bytes: Uint8Array, world: Unpicklable): unknown {
  if (bytes.length > MAX_PICKLE_BYTES) {
    throw malformed(`it has ${bytes.length} bytes, more than ${MAX_PICKLE_BYTES}`);
  }
  if (bytes[0] !== OPCODES.PROTO) throw malformed("it does not begin with protocol 2 to 5");
  return new Unpickler(bytes, world).run();
}

class Unpickler {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #globals: ReadonlyMap<string, unknown>;
  readonly #world: Unpicklable;
  readonly #stack: unknown[] = [];
  /** The stack's height at each open mark. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #at = 0;

  constructor(bytes: Uint8Array, world: Unpicklable) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#world = world;
    this.#globals = new Map(world.globals).set(ORDERED_DICT, () => new Map());
  }

  run(): unknown {
    for (;;) {
      const opcode = this.#uint8();
      if (opcode === OPCODES.STOP) return this.#pop();
      this.#step(opcode);
    }
  }

  #step(opcode: number): void {
    switch (opcode) {
      case OPCODES.PROTO: {
        const protocol = this.#uint8();
        if (protocol < 2 || protocol > 5) {
          throw malformed(`its protocol is ${protocol}, not 2 to 5`);
        }
        return;
      }
      case OPCODES.FRAME:
        return void this.#take(8); // the frame's length, a hint for buffered reading
      case OPCODES.NONE:
        return this.#push(null);
      case OPCODES.NEWTRUE:
        return this.#push(true);
      case OPCODES.NEWFALSE:
        return this.#push(false);
      case OPCODES.BININT:
        return this.#push(this.#view.getInt32(this.#take(4), true));
      case OPCODES.BININT1:
        return this.#push(this.#uint8());
      case OPCODES.BININT2:
        return this.#push(this.#view.getUint16(this.#take(2), true));
      case OPCODES.LONG1:
        return this.#push(this.#long(this.#uint8()));
      case OPCODES.LONG4:
        return this.#push(this.#long(this.#uint32()));
      case OPCODES.BINFLOAT:
        return this.#push(this.#view.getFloat64(this.#take(8)));
      case OPCODES.SHORT_BINSTRING:
      case OPCODES.SHORT_BINUNICODE:
        return this.#push(this.#string(this.#uint8()));
      case OPCODES.BINSTRING:
      case OPCODES.BINUNICODE:
        return this.#push(this.#string(this.#uint32()));
      case OPCODES.BINUNICODE8:
        return this.#push(this.#string(Number(this.#view.getBigUint64(this.#take(8), true))));
      case OPCODES.MARK:
        if (this.#marks.length >= MAX_STACK) throw malformed(`it has over ${MAX_STACK} open marks`);
        return void this.#marks.push(this.#stack.length);
      case OPCODES.POP:
        return void this.#pop();
      case OPCODES.POP_MARK:
        return void this.#popMark();
      case OPCODES.EMPTY_LIST:
        return this.#push([]);
      case OPCODES.LIST:
        return this.#push(this.#popMark());
      case OPCODES.APPEND: {
        const item = this.#pop();
        return void this.#list().push(item);
      }
      case OPCODES.APPENDS: {
        const items = this.#popMark();
        const list = this.#list();
        for (const item of items) list.push(item);
        return;
      }
      case OPCODES.EMPTY_TUPLE:
        return this.#push(new Tuple([]));
      case OPCODES.TUPLE1:
      case OPCODES.TUPLE2:
      case OPCODES.TUPLE3: {
        const items = Array.from({ length: opcode - OPCODES.TUPLE1 + 1 }, () => this.#pop());
        return this.#push(new Tuple(items.reverse()));
      }
      case OPCODES.TUPLE:
        return this.#push(new Tuple(this.#popMark()));
      case OPCODES.EMPTY_DICT:
        return this.#push(new Map());
      case OPCODES.DICT: {
        const dict = new Map();
        setItems(dict, this.#popMark());
        return this.#push(dict);
      }
      case OPCODES.SETITEM: {
        const value = this.#pop();
        const key = this.#pop();
        return setItems(this.#dict(), [key, value]);
      }
      case OPCODES.SETITEMS: {
        const items = this.#popMark();
        return setItems(this.#dict(), items);
      }
      case OPCODES.BINPUT:
        return this.#put(this.#uint8());
      case OPCODES.LONG_BINPUT:
        return this.#put(this.#uint32());
      case OPCODES.MEMOIZE:
        return this.#put(this.#memo.size);
      case OPCODES.BINGET:
        return this.#push(this.#get(this.#uint8()));
      case OPCODES.LONG_BINGET:
        return this.#push(this.#get(this.#uint32()));
      case OPCODES.GLOBAL:
        return this.#push(this.#global(this.#line(), this.#line()));
      case OPCODES.STACK_GLOBAL: {
        const name = this.#pop();
        const module = this.#pop();
        if (typeof name !== "string" || typeof module !== "string") {
          throw malformed("it names a global with a value that is not a string");
        }
        return this.#push(this.#global(module, name));
      }
      case OPCODES.INST: {
        const name = `${this.#line()}.${this.#line()}`;
        throw malformed(`it makes an instance of ${JSON.stringify(name)}`);
      }
      case OPCODES.REDUCE: {
        const args = this.#pop();
        const callee = this.#pop();
        if (typeof callee !== "function" || !(args instanceof Tuple)) {
          throw malformed("it calls a value that is not a function");
        }
        return this.#push(callee(...args.items.slice(0, MAX_ARGUMENTS)));
      }
      case OPCODES.BUILD:
        // Attributes are dropped: a state dict's only one, `_metadata`, does not describe tensors.
        this.#pop();
        return void this.#dict();
      case OPCODES.BINPERSID:
        return this.#push(this.#world.persistentLoad(this.#pop()));
      default:
        throw malformed(
          `it uses the opcode 0x${opcode.toString(16).padStart(2, "0")} at ${this.#at - 1}, ` +
            "which is not supported",
        );
    }
  }

  /** Skips `count` bytes and returns the position of the first. */
  #take(count: number): number {
    const begin = this.#at;
    if (count > this.#bytes.length - begin) throw malformed("it is cut off");
    this.#at += count;
    return begin;
  }

  #uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  #uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #string(length: number): string {
    const begin = this.#take(length);
    return decode(this.#bytes.subarray(begin, begin + length));
  }

  #line(): string {
    const rest = this.#bytes.subarray(this.#at, this.#at + MAX_GLOBAL_BYTES);
    const length = rest.indexOf(0x0a);
    if (length < 0) throw malformed("it is cut off within a name, or the name is too long");
    const line = this.#string(length);
    this.#at++;
    return line;
  }

  #long(length: number): number | bigint {
    if (length > MAX_LONG_BYTES) throw malformed(`it has an integer of ${length} bytes`);
    const begin = this.#take(length);
    let bits = 0n;
    for (let i = length - 1; i >= 0; i--) bits = bits << 8n | BigInt(this.#bytes[begin + i]!);
    const value = BigInt.asIntN(8 * length, bits);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  #push(value: unknown): void {
    if (this.#stack.length >= MAX_STACK) throw malformed(`its stack is over ${MAX_STACK} deep`);
    this.#stack.push(value);
  }

  /** Returns the top of the stack without popping it. Values below the last mark are not accessible. */
  #top(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw malformed("its stack is empty");
    return this.#stack.at(-1);
  }

  #pop(): unknown {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw malformed("it closes a mark that is not open");
    return this.#stack.splice(mark);
  }

  #list(): unknown[] {
    const list = this.#top();
    if (!Array.isArray(list)) throw malformed("it appends to a value that is not a list");
    return list;
  }

  #dict(): Map<unknown, unknown> {
    const dict = this.#top();
    if (!(dict instanceof Map)) throw malformed("it sets entries on a value that is not a dict");
    return dict;
  }

  #put(index: number): void {
    if (index >= MAX_MEMO) throw malformed(`its memo index ${index} is not below ${MAX_MEMO}`);
    this.#memo.set(index, this.#top());
  }

  #get(index: number): unknown {
    if (!this.#memo.has(index)) throw malformed(`its memo has nothing at ${index}`);
    return this.#memo.get(index);
  }

  #global(module: string, name: string): unknown {
    const qualified = `${module}.${name}`;
    if (!this.#globals.has(qualified)) {
      const quoted = JSON.stringify(qualified.slice(0, MAX_GLOBAL_BYTES));
      throw malformed(`it names ${quoted}, which is neither a plain container nor a tensor`);
    }
    return this.#globals.get(qualified);
  }
}

function setItems(dict: Map<unknown, unknown>, items: readonly unknown[]): void {
  if (items.length % 2 !== 0) throw malformed("it has a dict key without a value");
  for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("it has a string that is not UTF-8");
  }
}

function malformed(what: string): SyntaxError {
  return new SyntaxError(`Cannot read the pickle: ${what}`);
}
