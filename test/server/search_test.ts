// `deno task serve --db` in a process of its own, while others index.

import { assert, assertEquals } from "@std/assert";
import { run, TempFolder } from "../cli/run.ts";
import { index } from "../../src/cli/index.ts";
import { ServerProcess } from "./server_process.ts";

const photo = (name: string) => Deno.readFileSync(`test/images/${name}.jpg`);

Deno.test("serve --db answers POST /search from the index as it is now, with the permission to read alone", async () => {
  using folder = new TempFolder();
  const db = `${folder.path}/a.sqlite`;
  const update = async (name: string) => {
    folder.write(`photos/${name}.jpg`, photo(name));
    const { code, stderr } = await run(index, [`${folder.path}/photos`, "--db", db]);
    assertEquals([code, stderr], [0, ""]);
  };
  await update("dog");
  await using server = await ServerProcess.start({ serve: ["--db", db] });
  const find = async (name: string) => {
    const { status, text } = await server.post("/search?top_k=5", photo(name));
    assertEquals(status, 200, text);
    const { neighbours } = JSON.parse(text) as {
      neighbours: { path: string; similarity: number }[];
    };
    return neighbours;
  };
  assertEquals((await find("ship")).length, 1);
  await update("ship");
  const found = await find("ship");
  assertEquals(found.map(({ path }) => path), [
    `${folder.path}/photos/ship.jpg`,
    `${folder.path}/photos/dog.jpg`,
  ]);
  assert(found[0]!.similarity > 0.999);
  server.kill("SIGINT");
  assertEquals((await server.ended()).code, 0);
});
