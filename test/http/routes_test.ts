import { assert, assertEquals } from "@std/assert";
import { ROUTES } from "../../src/http/routes.ts";
import type { Route } from "../../src/http/route.ts";
import { ROUTE_GROUPS } from "../../src/http/route_group.ts";
import { get, service } from "./service.ts";

const FOLDER = new URL("../../src/http/routes/", import.meta.url);

/** The modules under a folder. */
async function* modules(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* modules(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

function isRoute(value: unknown): value is Route {
  return typeof value === "object" && value !== null && "answer" in value && "path" in value;
}

Deno.test("every file of routes/ has one route, and routes.ts lists it", async () => {
  const found = new Set<Route>();
  for await (const url of modules(FOLDER)) {
    if (url.pathname.endsWith("/routes/openapi.ts")) continue; // made of the others
    const routes = Object.values(await import(url.href)).filter(isRoute);
    assertEquals(routes.length, 1, url.pathname);
    found.add(routes[0]!);
  }
  assertEquals(found, new Set(ROUTES));
  assertEquals(new Set(ROUTES.flatMap(({ group }) => group ?? [])), new Set(ROUTE_GROUPS));
});

Deno.test("a path that no route has gets errors in the shape of its prefix", async () => {
  const handler = service({ routes: ["classify"] });
  const shape = async (path: string) => {
    const response = await handler(get(path));
    const { error, status } = await response.json();
    assertEquals(response.status, 404, path);
    if (status === 404) return "problem";
    return typeof error === "string" ? "inference" : "openai";
  };
  for (
    const [path, expected] of [
      ["/nowhere", "problem"],
      ["/embed", "problem"],
      ["/v1/nowhere", "openai"],
      ["/v1/models", "openai"],
      ["/v2/nowhere", "inference"],
      ["/v2", "inference"],
      ["/v20", "problem"],
    ] as const
  ) assertEquals(await shape(path), expected, path);
});

Deno.test("metrics and the log name a route by its pattern, never by a client's path", async () => {
  const routes: string[] = [];
  const handler = service({ log: ({ route }) => routes.push(route) });
  for (const path of ["/v1/models/mine", "/v2/models/mine/ready", "/v1/mine", "/mine", "/*", "/"]) {
    await (await handler(get(path))).body?.cancel();
  }
  await handler(new Request("http://service.test/v2/models/mine", { method: "DELETE" }));
  assertEquals(routes, [
    "/v1/models/:model",
    "/v2/models/:model/ready",
    "*",
    "*",
    "*",
    "/",
    "/v2/models/:model",
  ]);
  const text = await (await handler(get("/metrics"))).text();
  assert(!text.includes("mine"), text);
});
