import { assert, assertEquals, assertThrows } from "@std/assert";
import { readPytorch, readPytorchState } from "../../src/checkpoint/pytorch.ts";
import { goldenPath, readGolden } from "../golden/golden.ts";
import { uniform } from "../random.ts";
import {
  dict,
  global,
  integer,
  ORDERED_DICT,
  pickle,
  string,
  tensor,
  tuple,
} from "./pickle_text.ts";
import { zipFile, type ZipOptions } from "./zip_file.ts";

const SIX = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer);

/** A file of `torch.save` with that pickle and the storage "0". */
function fileOf(content: string, storage: Uint8Array = SIX, options: ZipOptions = {}): Uint8Array {
  return zipFile([
    ["archive/data.pkl", pickle(content)],
    ["archive/data/0", storage],
    ["archive/version", Uint8Array.of(0x33, 0x0a)],
  ], options);
}

Deno.test("readPytorch() gives the same tensors as the safetensors file, as views", () => {
  const file = Deno.readFileSync(goldenPath("tiny/pytorch_model.bin"));
  const tensors = readPytorch(file);
  assertEquals(tensors, readGolden("tiny/model.safetensors"));
  for (const { data } of tensors.values()) assert(data.buffer === file.buffer);
});

Deno.test("readPytorchState() joins the keys of dicts in dicts and leaves out all but tensors and numbers", () => {
  const x = tensor({ shape: [2], strides: [1] });
  const file = fileOf(dict({
    target_encoder: ORDERED_DICT + string("module.w") + x + "s",
    opt: dict({ list: `]${x}a` }) + integer(7) + x + "s",
    epoch: "K\x03",
    meter: dict({ loss: "G\x3f\xf8\0\0\0\0\0\0" }),
    big: integer(2 ** 60),
    none: "N",
    flag: "\x88",
  }));
  const { tensors, numbers } = readPytorchState(file);
  assertEquals([...tensors.keys()], ["target_encoder.module.w"]);
  assertEquals([...numbers], [["epoch", 3], ["meter.loss", 1.5]]);
});

Deno.test("readPytorch() reads offsets and strides", () => {
  const parameter = global("torch._utils", "_rebuild_parameter");
  const file = (zip64: boolean) =>
    fileOf(
      dict({
        rows: tensor({ shape: [2, 3], strides: [3, 1] }),
        second: tensor({ offset: 3, shape: [3], strides: [1] }),
        transposed: tensor({ shape: [3, 2], strides: [1, 3] }),
        every_second: tensor({ offset: 1, shape: [3, 1], strides: [2, 99] }),
        repeated: tensor({ offset: 5, shape: [2, 2], strides: [0, 0] }),
        scalar: tensor({ offset: 4, shape: [], strides: [] }),
        empty: tensor({ offset: 6, shape: [0, 1000], strides: [1000, 1] }),
        parameter: parameter + tuple(tensor({ shape: [1], strides: [1] }), "\x88", ORDERED_DICT) +
          "R",
      }),
      SIX,
      { zip64 },
    );
  for (const zip64 of [false, true]) {
    const tensors = [...readPytorch(file(zip64))].map(([name, { shape, data }]) =>
      [name, [...shape], [...data]] as const
    );
    assertEquals(tensors, [
      ["rows", [2, 3], [0, 1, 2, 3, 4, 5]],
      ["second", [3], [3, 4, 5]],
      ["transposed", [3, 2], [0, 3, 1, 4, 2, 5]],
      ["every_second", [3, 1], [1, 3, 5]],
      ["repeated", [2, 2], [5, 5, 5, 5]],
      ["scalar", [], [4]],
      ["empty", [0, 1000], []],
      ["parameter", [1], [0]],
    ]);
  }
});

Deno.test("readPytorch() knows every type of element", () => {
  const types = {
    BFloat16Storage: ["bfloat16", Uint16Array.of(0x3f80, 1)],
    BoolStorage: ["bool", Uint8Array.of(0, 1)],
    ByteStorage: ["uint8", Uint8Array.of(0, 255)],
    CharStorage: ["int8", Int8Array.of(-128, 127)],
    DoubleStorage: ["float64", Float64Array.of(-0.1, 1e300)],
    FloatStorage: ["float32", Float32Array.of(0.1, -1)],
    HalfStorage: ["float16", Uint16Array.of(0x3c00, 1)],
    IntStorage: ["int32", Int32Array.of(-(2 ** 31), 7)],
    LongStorage: ["int64", BigInt64Array.of(-(2n ** 63n), 7n)],
    ShortStorage: ["int16", Int16Array.of(-32_768, 7)],
  } as const;
  for (const [type, [dtype, data]] of Object.entries(types)) {
    const x = tensor({ type, length: 2, shape: [2], strides: [1] });
    const row = tensor({ type, length: 2, offset: 0, shape: [1, 2], strides: [9, 1] });
    const file = fileOf(dict({ x, row }), new Uint8Array(data.buffer));
    assertEquals(readPytorch(file).get("x"), { dtype, shape: [2], data });
    assertEquals(readPytorch(file).get("row"), { dtype, shape: [1, 2], data });
    const shifted = new Uint8Array(file.length + 1); // off every address of wider elements
    shifted.set(file, 1);
    assertEquals(readPytorch(shifted.subarray(1)).get("x"), { dtype, shape: [2], data });
  }
});

Deno.test("readPytorch() refuses a pickle that calls the system, by name", () => {
  const attack = `${global("os", "system")}${tuple(string("touch hacked"))}R`;
  const x = tensor({ shape: [2], strides: [1] });
  for (const content of [attack, dict({ x, attack }), dict({ opt: `]${attack}a`, x })]) {
    assertThrows(() => readPytorch(fileOf(content)), SyntaxError, '"os.system"');
  }
});

Deno.test("readPytorch() refuses tensors that are not in the file", () => {
  const x = { shape: [2], strides: [1] };
  const huge = 2 ** 52;
  const cases: [string, string][] = [
    [tensor({ ...x, key: "1" }), 'no storage "1"'],
    [tensor({ ...x, key: "../data.pkl" }), 'no storage "../data.pkl"'],
    [tensor({ ...x, length: 7 }), "7 elements of float32, but has 24 bytes"],
    [tensor({ ...x, type: "DoubleStorage" }), "6 elements of float64, but has 24 bytes"],
    [tensor({ ...x, length: -1 }), "-1 elements"],
    [tensor({ ...x, type: "ComplexFloatStorage" }), '"torch.ComplexFloatStorage"'],
    [tensor({ ...x, offset: 5 }), "reaches outside its storage of 6"],
    [tensor({ ...x, offset: -1 }), "reaches outside"],
    [tensor({ shape: [0], strides: [1], offset: 7 }), "reaches outside"],
    [tensor({ shape: [2, 3], strides: [3, 2] }), "reaches outside"],
    [tensor({ shape: [3], strides: [huge] }), "reaches outside"],
    [tensor({ shape: [-2], strides: [1] }), "tensor with the shape [-2]"],
    [tensor({ shape: [2], strides: [-1] }), "tensor with the strides [-1]"],
    [tensor({ shape: [2, 1], strides: [1] }), "shape [2,1] and strides [1]"],
    [
      tensor({ shape: [huge, huge], strides: [0, 0] }),
      "shape [4503599627370496,4503599627370496]",
    ],
    [tensor({ shape: [2 ** 40], strides: [0] }), "take more memory than the file"],
    [
      tensor({ shape: Array(65).fill(1), strides: Array(65).fill(1) }),
      "tensor with the shape [1,1,",
    ],
    [`${tuple(string("module"), "N")}Q`, "is not a storage"],
    [`${global("torch._utils", "_rebuild_tensor_v2")})R`, "has no storage"],
    [`${global("torch._utils", "_rebuild_parameter")})R`, "is not a tensor"],
    [`${global("torch", "FloatStorage")})R`, "not a function"],
  ];
  for (const [content, message] of cases) {
    assertThrows(() => readPytorch(fileOf(dict({ x: content }))), SyntaxError, message);
  }
});

Deno.test("readPytorch() takes no more memory for copies than the file has", () => {
  // Each tensor takes 6 bytes of the pickle and 24 as a copy: 1,000 of them fit, 100 × 1,000 not.
  const transposed = tensor({ shape: [3, 2], strides: [1, 3] });
  const again = Array.from(
    { length: 1000 },
    (_, i) => string(`${i}`) + tensor({ shape: [3, 2], strides: [1, 3] }),
  ).join("");
  assertEquals(readPytorch(fileOf(`}(${again}u`)).size, 1000);
  const shared = Array.from({ length: 1000 }, (_, i) => `${string(`${i}`)}h\x01`).join("");
  const same = readPytorch(fileOf(`${transposed}q\x010}(${shared}u`));
  assert(same.get("0")!.data === same.get("999")!.data);
  const wide = tensor({ shape: [1000], strides: [0] });
  assertThrows(
    () => readPytorch(fileOf(dict(Object.fromEntries([..."abcdefghij"].map((k) => [k, wide]))))),
    SyntaxError,
    "take more memory than the file",
  );
});

Deno.test("readPytorch() refuses nesting that could fill the memory", () => {
  const x = tensor({ shape: [2], strides: [1] });
  let deep = x;
  for (let i = 0; i < 100; i++) deep = dict({ a: deep });
  // A dict in itself, and dicts that each hold the one before a hundred times.
  const cyclic = `}q\x07${string("a")}h\x07s`;
  let wide = dict({ x });
  for (let level = 0; level < 5; level++) {
    const refs = Array.from({ length: 100 }, (_, i) => `${string(`${i}`)}h\x09`).join("");
    wide = `${wide}q\x090}(${refs}u`;
  }
  const cases: [string, string][] = [
    [deep, "more than 16 deep"],
    [cyclic, "more than 16 deep"],
    [wide, "more than 100000 entries"],
    [dict({ ["n".repeat(1001)]: x }), "more than 1000 characters"],
    [dict({ "a.x": x, a: dict({ x }) }), 'the tensor "a.x" twice'],
    ["]", "not hold a dict of tensors"],
    [x, "not hold a dict of tensors"],
  ];
  for (const [content, message] of cases) {
    assertThrows(() => readPytorch(fileOf(content)), SyntaxError, message);
  }
});

Deno.test("readPytorch() refuses other files and says which", () => {
  const x = dict({ x: tensor({ shape: [2], strides: [1] }) });
  const entries = [["a/data.pkl", pickle(x)], ["a/data/0", SIX]] as const;
  const bytes = (text: string) => new TextEncoder().encode(text);
  assertEquals(readPytorch(zipFile([...entries, ["a/byteorder", bytes("little")]])).size, 1);
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(), "not a zip file"],
    [pickle("N"), "before PyTorch 1.6"],
    [zipFile([]), "0 entries data.pkl"],
    [zipFile([...entries, ["b/data.pkl", pickle(x)]]), "2 entries data.pkl"],
    [zipFile([...entries, ["a/byteorder", bytes("big")]]), "little-endian"],
    [fileOf(x, SIX, { method: 8 }), "compressed"],
    [fileOf(x, SIX, { method: 8, extraSize: 2 ** 31 }), "compressed"], // a zip bomb
  ];
  for (const [file, message] of cases) {
    assertThrows(() => readPytorch(file), SyntaxError, message);
  }
});

Deno.test("readPytorch() refuses a file that is cut off, wherever", () => {
  const file = Deno.readFileSync(goldenPath("tiny/msn.pth.tar"));
  for (let length = 0; length < file.length; length += 997) {
    assertThrows(() => readPytorch(file.subarray(0, length)), SyntaxError);
  }
});

for (const [what, mutations] of [["pickle", 2000], ["file", 500]] as const) {
  Deno.test(`readPytorch() either reads a damaged ${what} or throws a SyntaxError`, () => {
    const whole = Deno.readFileSync(goldenPath("tiny/msn.pth.tar"));
    const random = uniform(what.length);
    // The pickle is the first entry; the directory is at the end.
    const [begin, end] = what === "pickle" ? [64, 3000] : [whole.length - 5000, whole.length];
    let refused = 0;
    for (let i = 0; i < mutations; i++) {
      const file = whole.slice();
      for (let n = 1 + Math.floor(4 * random()); n > 0; n--) {
        file[begin + Math.floor((end - begin) * random())] = Math.floor(256 * random());
      }
      try {
        readPytorch(file);
      } catch (error) {
        assert(error instanceof SyntaxError, `${error}`);
        refused++;
      }
    }
    console.log(`${refused} of ${mutations} refused`);
    assert(refused > mutations / 4);
  });
}
