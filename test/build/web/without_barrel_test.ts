import { assertEquals, assertThrows } from "@std/assert";
import { withoutBarrel } from "../../../src/build/web/without_barrel.ts";

const MAIN = `
export { a } from "./one/a.ts";
export {
  type B,
  c,
} from "./two/c.ts";
export type { D } from "./two/d.ts";
`;

Deno.test("values are imported from their own modules, types are left out", () => {
  const text =
    'import {\n  a,\n  type B,\n  c,\n} from "../../mod.ts";\nimport type { D } from "../mod.ts";\na(c);';
  assertEquals(
    withoutBarrel(text, MAIN, "/src/"),
    'import { a } from "/src/one/a.ts"; import { c } from "/src/two/c.ts";\n' +
      'import type { D } from "../mod.ts";\na(c);',
  );
});

Deno.test("other imports stay as they are", () => {
  const text = 'import { html } from "lit-html";\nimport { App } from "./app.ts";';
  assertEquals(withoutBarrel(text, MAIN, "/src/"), text);
});

Deno.test("a name that is not exported is an error", () => {
  const text = 'import { a, e } from "../mod.ts";';
  assertThrows(
    () => withoutBarrel(text, MAIN, "/src/"),
    Error,
    "Cannot bundle: src/mod.ts does not export e",
  );
});
