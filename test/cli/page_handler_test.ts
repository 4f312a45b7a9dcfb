import { assertEquals, assertStringIncludes } from "@std/assert";
import { pageHandler } from "../../src/cli/page_handler.ts";

/** A service that says which path it was asked for. */
const service = (request: Request) => {
  const { pathname } = new URL(request.url);
  return Promise.resolve(
    pathname === "/openapi.json"
      ? Response.json({ info: { title: "mine", description: "" }, paths: {} })
      : new Response(`${request.method} ${pathname}`),
  );
};

const FILES = new Map([
  ["index.html", new TextEncoder().encode("the page")],
  ["page.js", new TextEncoder().encode("the script")],
]);

function handlerOf(makeFiles: () => Promise<typeof FILES>) {
  const logged: string[] = [];
  const handler = pageHandler(service, makeFiles, (message) => logged.push(message));
  const ask = async (path: string, method = "GET") =>
    await (await handler(new Request(`http://localhost${path}`, { method }))).text();
  return { ask, logged };
}

Deno.test("the page is at /, made at the first visit and once; the service answers the rest", async () => {
  let made = 0;
  const { ask } = handlerOf(() => {
    made++;
    return Promise.resolve(FILES);
  });
  assertEquals(await ask("/classify"), "GET /classify");
  assertEquals(await ask("/v2/health/ready"), "GET /v2/health/ready");
  assertEquals(await ask("/", "POST"), "POST /");
  assertEquals(made, 0);
  assertEquals(await Promise.all([ask("/"), ask("/page.js")]), ["the page", "the script"]);
  assertEquals(await ask("/other.js"), "GET /other.js");
  assertEquals(made, 1);
});

Deno.test("/docs describes the service", async () => {
  const { ask } = handlerOf(() => Promise.resolve(FILES));
  assertStringIncludes(await ask("/docs"), "<h1>mine</h1>");
});

Deno.test("without files, the service answers, and the log says why", async () => {
  const { ask, logged } = handlerOf(() => Promise.reject(new Error("no esbuild")));
  assertEquals(await ask("/"), "GET /");
  assertEquals(await ask("/"), "GET /");
  assertEquals(logged, ["cannot make the page: no esbuild"]);
});
