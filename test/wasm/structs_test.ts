import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { compileStructs, STRUCTS_FILES } from "../../wasm/build.ts";

for (const name of Object.keys(STRUCTS_FILES) as (keyof typeof STRUCTS_FILES)[]) {
  const file = STRUCTS_FILES[name];
  Deno.test(`${file} is what the classes of ${name} are laid out as`, async () => {
    assertEquals(await compileStructs(name), await Deno.readTextFile(file));
  });
}

/** The layouts of a module that consists of this source. */
function structsOf(source: string): Promise<string> {
  return compileStructs(
    "vit_msn_plain",
    (file) => Promise.resolve(file === "vit_msn.ts" ? source : undefined),
  );
}

Deno.test("structs have the compiler's offsets, references as pointers, and enums", async () => {
  const text = await structsOf(`
    export const enum Color { RED, GREEN = 5, BLUE }
    @unmanaged export class Inner { a: f32; }
    @unmanaged export class Outer { color: Color; inner: Inner | null; next: usize; }
    @unmanaged class Hidden { a: i32; }
    export function main(outer: Outer): i32 {
      return outer.color == Color.GREEN ? outer.inner!.a > 0 : 1;
    }
  `);
  assertStringIncludes(text, `Inner: {\n    bytes: 4,\n    fields: {\n      a: ["f32", 0],`);
  assertStringIncludes(
    text,
    `Outer: {\n    bytes: 12,\n    fields: {\n      color: ["i32", 0],\n      inner: ["u32", 4],\n      next: ["u32", 8],`,
  );
  assertStringIncludes(text, "export const Color = {\n  RED: 0,\n  GREEN: 5,\n  BLUE: 6,\n}");
  assertEquals(text.includes("Hidden"), false);
});

Deno.test("structs: a field that the host cannot write is an error", async () => {
  for (const type of ["i64", "u8", "f64", "bool"]) {
    await assertRejects(
      () => structsOf(`@unmanaged export class Wide { a: i32; b: ${type}; }`),
      TypeError,
      "the host cannot write Wide.b, a " + type,
    );
  }
});

Deno.test("structs: an error of the compiler is passed on", async () => {
  await assertRejects(() => structsOf("export class { }"), Error, "Cannot compile vit_msn.ts");
});
