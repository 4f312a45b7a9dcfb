import { assert, assertEquals, assertThrows } from "@std/assert";
import { Tuple, unpickle } from "../../src/checkpoint/pickle.ts";
import { dict, global, integer, latin1, pickle, string, tuple, uint32 } from "./pickle_text.ts";

const world = { globals: new Map<string, unknown>(), persistentLoad: (id: unknown) => id };
const read = (bytes: Uint8Array) => unpickle(bytes, world);

Deno.test("unpickle() reads plain values of protocol 2", () => {
  const cases: [string, unknown][] = [
    ["N", null],
    ["\x88", true],
    ["\x89", false],
    ["K\xff", 255],
    ["M\xff\xff", 65_535],
    ["J\xff\xff\xff\xff", -1],
    ["\x8a\x00", 0],
    ["\x8a\x01\x80", -128],
    [integer(2 ** 40), 2 ** 40],
    [integer(-(2 ** 40)), -(2 ** 40)],
    ["\x8a\x09" + "\0".repeat(8) + "\x01", 2n ** 64n],
    ["\x8b" + uint32(2) + "\x00\x01", 256],
    ["G\x3f\xf8\0\0\0\0\0\0", 1.5],
    [string("abc"), "abc"],
    ["X" + uint32(2) + "\xc3\xa9", "é"],
    ["U\x02py", "py"],
    [")", new Tuple([])],
    ["K\x01K\x02\x86", new Tuple([1, 2])],
    [tuple("K\x01", "N", "K\x02"), new Tuple([1, null, 2])],
    ["]K\x07a", [7]],
    ["](K\x01K\x02e", [1, 2]],
    ["(K\x01K\x02l", [1, 2]],
    ["}K\x01K\x02s", new Map([[1, 2]])],
    ["(K\x01K\x02d", new Map([[1, 2]])],
    [dict({ ["__proto__"]: "N" }), new Map([["__proto__", null]])],
    [global("collections", "OrderedDict") + ")R" + string("k") + "Ns", new Map([["k", null]])],
  ];
  for (const [content, expected] of cases) {
    assertEquals(read(pickle(content)), expected, JSON.stringify(content));
  }
});

Deno.test("unpickle() reads plain values of protocol 4", () => {
  // pickle.dumps(OrderedDict(a=[1, "é"]), protocol=4)
  const ordered = "\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94" +
    "\x8c\x01a\x94]\x94(K\x01\x8c\x02\xc3\xa9\x94es.";
  const bytes = latin1("\x80\x04\x95" + uint32(ordered.length) + "\0\0\0\0" + ordered);
  assertEquals(read(bytes), new Map([["a", [1, "é"]]]));
  const long = "\x8d" + uint32(3) + "\0\0\0\0abc.";
  assertEquals(read(latin1("\x80\x05" + long)), "abc");
});

Deno.test("unpickle() gives the same object for what the pickle holds once", () => {
  const [a, b] = (read(pickle("]q\x05h\x05\x86")) as Tuple).items;
  assert(a === b && Array.isArray(a));
  const cycle = read(pickle("]q\x00h\x00a")) as unknown[];
  assert(cycle[0] === cycle);
});

Deno.test("unpickle() leaves out the attributes of a state dict", () => {
  const attributes = dict({ _metadata: "}" });
  assertEquals(read(pickle(`${global("collections", "OrderedDict")})R${attributes}b`)), new Map());
});

Deno.test("unpickle() refuses by name whatever a pickle wants to call", () => {
  const call = (what: string) => `${what}${tuple(string("touch hacked"))}R`;
  for (
    const [module, name] of [
      ["os", "system"],
      ["posix", "system"],
      ["builtins", "eval"],
      ["__builtin__", "getattr"],
      ["subprocess", "Popen"],
      ["torch", "load"],
      ["collections", "OrderedDict.fromkeys"],
      ["collections", "defaultdict"],
      ["", "constructor"],
      ["__proto__", "toString"],
    ] as const
  ) {
    const quoted = JSON.stringify(`${module}.${name}`);
    assertThrows(() => read(pickle(call(global(module, name)))), SyntaxError, quoted);
    const stackGlobal = latin1(`\x80\x04${call(`${string(module)}${string(name)}\x93`)}.`);
    assertThrows(() => read(stackGlobal), SyntaxError, quoted);
    assertThrows(() => read(pickle(`(${string("x")}i${module}\n${name}\n`)), SyntaxError, quoted);
  }
});

Deno.test("unpickle() calls nothing that the pickle did not get from its world", () => {
  for (const callee of ["N", string("eval"), "]", "}", tuple(), "K\x01"]) {
    assertThrows(() => read(pickle(`${callee})R`)), SyntaxError, "not a function");
    assertThrows(() => read(pickle(`${callee})\x81`)), SyntaxError, "opcode 0x81"); // NEWOBJ
  }
  assertThrows(() => read(pickle(`${global("collections", "OrderedDict")}]R`)), SyntaxError);
  for (const opcode of ["\x82\x01", "P1\n", "I1\n", "S'a'\n", "\x92", "\x8f", "o"]) {
    assertThrows(() => read(pickle(`(${opcode}`)), SyntaxError, "opcode 0x");
  }
});

Deno.test("unpickle() refuses damaged and oversized pickles", () => {
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(), "does not begin"],
    [latin1("N."), "does not begin"],
    [latin1("\x80\x01N."), "protocol is 1"],
    [latin1("\x80\x06N."), "protocol is 6"],
    [pickle(""), "stack is empty"],
    [latin1("\x80\x02N"), "cut off"],
    [pickle("X\xff\xff\xff\xffabc"), "cut off"],
    [pickle("\x8d" + "\xff".repeat(8)), "cut off"],
    [pickle("X" + uint32(1) + "\xff"), "not UTF-8"],
    [pickle("\x8b\0\0\0\x10"), "integer of 268435456 bytes"],
    [pickle("t"), "mark that is not open"],
    [pickle("K\x01(a"), "stack is empty"],
    [pickle("NNa"), "not a list"],
    [pickle(")K\x01a"), "not a list"], // a tuple never changes
    [pickle("]NNs"), "not a dict"],
    [pickle("](Nu"), "not a dict"],
    [pickle("}(Nu"), "without a value"],
    [pickle("h\x07"), "nothing at 7"],
    [pickle("Nr\xff\xff\xff\xff"), "index 4294967295"],
    [pickle("j\xff\xff\xff\xff"), "nothing at 4294967295"],
    [pickle("N".repeat(100_001)), "stack is over 100000"],
    [pickle("(".repeat(100_001)), "100000 open marks"],
    [pickle("c" + "a".repeat(300) + "\n"), "name is too long"],
    [pickle("cos\nsystem"), "cut off"],
    [pickle("K\x01K\x02\x93"), "not a string"],
    [new Uint8Array(4_000_001).fill(0x80), "4000001 bytes"],
  ];
  for (const [bytes, message] of cases) {
    assertThrows(() => read(bytes), SyntaxError, message);
  }
});

Deno.test("unpickle() does not recurse: tuples a million deep are read", () => {
  const depth = 1_000_000;
  let value = read(pickle("]" + "\x85".repeat(depth)));
  let found = 0;
  for (; value instanceof Tuple; value = value.items[0]) found++;
  assertEquals(found, depth);
});
