import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { docsPage } from "../../../src/http/page/docs_page.ts";
import { openApiDocument } from "../../../src/http/openapi.ts";
import { DEFAULT_SERVER_LIMITS } from "../../../src/http/limits.ts";
import { ROUTES } from "../../../src/http/routes.ts";

const html = (name: string, needsKey = false) =>
  docsPage(
    openApiDocument(ROUTES, { name, limits: DEFAULT_SERVER_LIMITS, needsKey }),
    "http://localhost:8000",
  );

Deno.test("every route is described, with its parameters", () => {
  const page = html("mine");
  for (const { method, path, summary } of ROUTES) {
    assertStringIncludes(
      page,
      `${method.toUpperCase()} ${path.replaceAll(/:(\w+)/g, "{$1}")}</code>`,
    );
    assertStringIncludes(page, summary.replaceAll("'", "&#39;"));
  }
  assertStringIncludes(page, "<code>top_k</code>");
  assertStringIncludes(page, "integer, from 1");
  assertEquals(page.includes("Needs a key"), false);
  assertStringIncludes(html("mine", true), "Needs a key");
});

Deno.test("it has no script, and nothing of a name becomes markup", () => {
  const page = html("<script>alert(1)</script>");
  assertEquals(/<script/i.test(page), false);
  assert(page.includes("&lt;script&gt;"));
});
