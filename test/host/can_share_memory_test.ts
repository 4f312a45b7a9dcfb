import { assertEquals } from "@std/assert";
import { canShareMemory } from "../../src/host/can_share_memory.ts";
import { CLOUDFLARE, NODE, NOT_ISOLATED, withGlobals } from "./with_globals.ts";

for (
  const [host, globals, expected] of [
    ["Deno", {}, true],
    ["Node.js", NODE, true],
    ["an isolated page", { crossOriginIsolated: true }, true],
    ["a page that is not isolated", NOT_ISOLATED, false],
    ["a host without threads", CLOUDFLARE, false],
  ] as const
) {
  Deno.test(`canShareMemory() is ${expected} in ${host}`, async () => {
    assertEquals(await withGlobals(globals, canShareMemory), expected);
  });
}
