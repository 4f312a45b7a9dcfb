import { assertEquals } from "@std/assert";
import { processors } from "../../src/host/processors.ts";
import { withGlobals } from "./with_globals.ts";

Deno.test("processors() asks the navigator, else Node.js, else it is one", async () => {
  assertEquals(processors(), navigator.hardwareConcurrency);
  // Deno's own `node:os` asks the navigator, too.
  const process = { getBuiltinModule: () => ({ availableParallelism: () => 3 }) };
  assertEquals(await withGlobals({ navigator: undefined, process }, processors), 3);
  assertEquals(await withGlobals({ navigator: undefined, process: undefined }, processors), 1);
});
