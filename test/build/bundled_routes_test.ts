import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { ROUTES_MODULE, withRoutes } from "../../src/build/bundled_routes.ts";
import { FUNCTIONS } from "../../src/build/functions/functions.ts";
import { ROUTE_GROUPS, type RouteGroup } from "../../src/http/route_group.ts";
import { ROUTES } from "../../src/http/routes.ts";

const text = await Deno.readTextFile(ROUTES_MODULE);
const folder = ROUTES_MODULE.slice(0, ROUTES_MODULE.lastIndexOf("/") + 1);
const routesOf = async (groups: readonly RouteGroup[]) =>
  await withRoutes(text, groups, (path) => Deno.readTextFile(folder + path));

Deno.test("a bundle has the routes of its groups and those of all functions", async () => {
  assertEquals(await routesOf(ROUTE_GROUPS), text);
  for (const group of ROUTE_GROUPS) {
    const own = await routesOf([group]);
    const expected = ROUTES.filter((route) => route.group === undefined || route.group === group);
    assertEquals(own.match(/^import \{ /gm)?.length, expected.length, group);
    assertEquals(own.match(/^ {2}\w+,$/gm)?.length, expected.length, group);
  }
  const own = await routesOf(["classify"]);
  assertMatch(own, /^ {2}classify,$/m);
  assertEquals(own.includes("attention"), false);
  await assertRejects(() => routesOf([]), Error, "no route belongs to the groups");
});

Deno.test("each function is built with the routes that it serves", async () => {
  for (const { entry, routes } of Object.values(FUNCTIONS)) {
    const list = routes.map((group) => `"${group}"`).join(", ");
    assertStringIncludes(await Deno.readTextFile(entry), `("../_shared/"), [${list}])`);
  }
});
