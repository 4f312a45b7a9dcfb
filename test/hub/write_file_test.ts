import { assertEquals, assertRejects } from "@std/assert";
import { writeFile } from "../../src/hub/write_file.ts";
import { TempFolder } from "../cli/run.ts";

const NEW = new TextEncoder().encode("new");

function names(folder: TempFolder): string[] {
  return [...Deno.readDirSync(folder.path)].map(({ name }) => name).toSorted();
}

Deno.test("writeFile() makes a file, and replaces one", async () => {
  using folder = new TempFolder();
  for (const path of [`${folder.path}/new`, folder.write("old", "old")]) {
    await writeFile(path, [NEW, new Uint8Array(), NEW]);
    assertEquals(Deno.readTextFileSync(path), "newnew");
  }
  assertEquals(names(folder), ["new", "old"]);
});

Deno.test("writeFile() leaves everything as it was if it fails in the middle", async () => {
  using folder = new TempFolder();
  const old = folder.write("old", "old");
  folder.write("old.unfinished", "somebody else's");
  function* breaking(): Generator<Uint8Array> {
    yield NEW;
    throw new Error("no more");
  }
  await assertRejects(() => writeFile(old, breaking()), Error, "no more");
  assertEquals(Deno.readTextFileSync(old), "old");
  assertEquals(names(folder), ["old", "old.unfinished"]);
});

Deno.test("writeFile() says why a file cannot be written", async () => {
  using folder = new TempFolder();
  const file = folder.write("file", "");
  const cases = [
    [folder.path, "it is a folder"],
    [`${folder.path}/new/`, "it is a folder"],
    [`${folder.path}/none/file`, "its folder does not exist"],
    [`${file}/below`, "its folder does not exist"],
  ] as const;
  for (const [path, why] of cases) {
    await assertRejects(() => writeFile(path, [NEW]), Error, `Cannot write ${path}: ${why}`);
  }
  assertEquals(names(folder), ["file"]);
});
