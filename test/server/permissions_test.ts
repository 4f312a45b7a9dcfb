import { assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { TempFolder } from "../cli/run.ts";
import { runProcess } from "../cli/run_process.ts";

/** Runs a task's command with its permissions; returns those that are left at its end. */
async function left(name: "index" | "search" | "dedupe", ...args: string[]): Promise<string> {
  const script = new URL("give_up_permissions.ts", import.meta.url).pathname;
  const [deno, ...task] = config.tasks[name].split(" ");
  const { stderr } = await runProcess(deno!, [...task.slice(0, -1), script, name, ...args], {
    env: { NO_COLOR: "1" },
  });
  assertMatch(stderr, /left: .*\n$/);
  return /left: (.*)\n$/.exec(stderr)![1]!;
}

Deno.test("an embedded index is made, searched and cleaned of duplicates with the files alone", async () => {
  using folder = new TempFolder();
  const db = `${folder.path}/a.sqlite`;
  assertEquals(await left("index", "test/images", "--db", db), "read write");
  assertEquals(await left("search", "test/images/dog.jpg", "--db", db), "read write");
  assertEquals(await left("dedupe", "--db", db), "read");
  // What fails before it opens an index has not needed them.
  assertMatch(
    await left("index", "test/images", "--db", "postgres://127.0.0.1:1/x"),
    /^net .*PGPASSWORD/,
  );
});
