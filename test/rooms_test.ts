import { assertEquals, assertThrows } from "@std/assert";
import { brokenRules, sourceFiles } from "./rooms.ts";

Deno.test("the house keeps its rules", async () => {
  const files = await sourceFiles("src");
  assertEquals(files.length > 100, true);
  assertEquals(brokenRules(files), []);
});

Deno.test("an import from a room above is found, in any form", () => {
  const upward = [
    'import { main } from "../cli/main.ts";',
    'import type { Route } from "../http/routes.ts";',
    'export * from "../dataset/images.ts";',
    'const { serve } = await import("../cli/serve.ts");',
    'import {\n  a,\n  b,\n} from "../dataset/images.ts";',
    'export { load } from "../mod.ts";',
  ];
  for (const text of upward) {
    assertEquals(brokenRules([{ path: "src/model/planted.ts", text }]).length, 1, text);
  }
});

Deno.test("an import from the same room or from below is none, nor is one in a docstring", () => {
  const fine = [
    'import { topK } from "../tensor/top_k.ts";',
    'import { pool } from "./outputs/pool.ts";',
    '/**\n * ```ts\n * import { main } from "../cli/main.ts";\n * ```\n */',
    '// import { main } from "../cli/main.ts";',
    'import { concat } from "@std/bytes/concat";',
  ];
  for (const text of fine) assertEquals(brokenRules([{ path: "src/model/planted.ts", text }]), []);
});

Deno.test("the page imports its own files and what the package exports", () => {
  const broken = (text: string) => brokenRules([{ path: "src/web/planted.ts", text }]).length;
  const fine = [
    'import { loadModel } from "../mod.ts";',
    'import "../runtime/simd/worker.ts";',
    'import { App } from "./app.ts";',
    'import { html } from "lit-html";',
    "navigator.mediaDevices;", // never in Node.js
  ];
  assertEquals(fine.map(broken), fine.map(() => 0));
  const private_ = [
    'import { sha256 } from "../tensor/sha256.ts";',
    'const { Head } = await import("../heads/head.ts");',
    "await Deno.readFile(path);",
  ];
  assertEquals(private_.map(broken), [1, 1, 1]);
});

Deno.test("Deno is found where it may not be used", () => {
  const text = "const bytes = await Deno.readFile(path);";
  const broken = (path: string) => brokenRules([{ path, text }]).length;
  assertEquals(
    ["src/model/planted.ts", "src/hub/planted.ts", "src/mod.ts"].map(broken),
    [1, 1, 1],
  );
  assertEquals(["src/cli/a.ts", "src/dataset/a.ts", "src/http/request/a.ts"].map(broken), [
    0,
    0,
    0,
  ]);
});

Deno.test("a new room has to be placed", () => {
  const file = { path: "src/attic/a.ts", text: 'import { a } from "../tensor/a.ts";' };
  assertThrows(() => brokenRules([file]), Error, "src/attic/a.ts");
});

Deno.test("what Node.js 20 lacks is found in the rooms of the library", () => {
  const lacking = [
    "const { promise, resolve } = Promise.withResolvers<void>();",
    "const groups = Map.groupBy(list, (x) => x.kind);",
    "const names = await Array.fromAsync(entries);",
    'const bytes = Uint8Array.fromBase64("AA==");',
    "const text = bytes.toHex();",
    "const halves = new Float16Array(4);",
    "const url = URL.parse(text);",
    "return weights.values().some(isInt8);",
    "return weights\n  .entries()\n  .map(first);",
    "if (wanted.isSubsetOf(found)) return;",
    "const all = wanted.union(found);",
    "const moved = buffer.transfer(8);",
    "const bytes = await new Response(body).bytes();",
    "const cores = navigator.hardwareConcurrency;",
  ];
  for (const text of lacking) {
    for (const path of ["src/model/planted.ts", "src/http/planted.ts", "src/train/planted.ts"]) {
      assertEquals(brokenRules([{ path, text }]).length, 1, text);
    }
    assertEquals(brokenRules([{ path: "src/cli/planted.ts", text }]), []);
  }
});

Deno.test("what Node.js 20 has is fine, and so is what docstrings show", () => {
  const fine = [
    "return [...weights.values()].some(isInt8);",
    "const first = map.keys().next().value;",
    "return Object.entries(record).map(text);",
    "const either = v.union([v.string(), v.number()]);",
    "const cores = globalThis.navigator?.hardwareConcurrency;",
    "const view = arena.bytes(at, length);",
    '/**\n * const gif = Uint8Array.fromBase64("R0lG");\n */',
    "list.toSorted().findLast(isKnown);",
  ];
  for (const text of fine) assertEquals(brokenRules([{ path: "src/model/planted.ts", text }]), []);
});
