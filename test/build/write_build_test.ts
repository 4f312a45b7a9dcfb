import { assertEquals, assertRejects } from "@std/assert";
import { writeBuild } from "../../src/build/write_build.ts";
import { TempFolder } from "../cli/run.ts";

const encoder = new TextEncoder();
const filesOf = (contents: Record<string, string>) =>
  new Map(Object.entries(contents).map(([path, text]) => [path, encoder.encode(text)]));

const FIRST = filesOf({ "deno.json": "{}", "functions/classify/index.js": "first" });
const SECOND = filesOf({
  "deno.json": "{}",
  "functions/classify/index.js": "second",
  "new": "new",
});
const KEEP = { force: false };

Deno.test("writeBuild() replaces an earlier build, and leaves what is beside it", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/dist`;
  await writeBuild(out, FIRST, KEEP);
  const notes = folder.write("dist/notes.txt", "mine");
  await writeBuild(out, SECOND, KEEP);
  assertEquals(Deno.readTextFileSync(`${out}/functions/classify/index.js`), "second");
  assertEquals(Deno.readTextFileSync(notes), "mine");
  await writeBuild(out, SECOND, KEEP);
});

Deno.test("writeBuild() removes what only the earlier build had, unless it has changed", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/dist`;
  await writeBuild(out, filesOf({ "deno.json": "{}", "stale": "x", "kept": "x" }), KEEP);
  folder.write("dist/kept", "mine");
  await writeBuild(out, FIRST, KEEP);
  const names = Array.from(Deno.readDirSync(out), ({ name }) => name).sort();
  assertEquals(names, [".vit-msn-edge.json", "deno.json", "functions", "kept"]);
  assertEquals(Deno.readTextFileSync(`${out}/kept`), "mine");
});

Deno.test("writeBuild() refuses to replace what is not a build's, and writes nothing", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/dist`;
  const refuses = async (files: typeof FIRST, names: string) => {
    await assertRejects(
      () => writeBuild(out, files, KEEP),
      Error,
      `Cannot build into ${out}: what is there was not made by \`deno task build\`, or changed since ` +
        `(${names}); choose another folder with --out, or add --force to overwrite it`,
    );
  };
  const config = folder.write("dist/deno.json", "mine");
  folder.write("dist/index.html", "mine");
  await refuses(FIRST, "deno.json, index.html");
  assertEquals([...Deno.readDirSync(out)].length, 2);
  await writeBuild(out, FIRST, { force: true });
  assertEquals(Deno.readTextFileSync(`${out}/index.html`), "mine");
  // Changed since the build, and where the next build has a file that this one had not.
  Deno.writeTextFileSync(config, "mine again");
  Deno.writeTextFileSync(`${out}/new`, "mine");
  await refuses(SECOND, "deno.json, new");
  assertEquals(Deno.readTextFileSync(config), "mine again");
  const file = `${out}/index.html`;
  await assertRejects(() => writeBuild(file, FIRST, KEEP), Error, `${file}: it is a file`);
});

Deno.test("writeBuild() goes on where it was interrupted, and over builds without a list", async () => {
  using folder = new TempFolder();
  const out = `${folder.path}/dist`;
  await writeBuild(out, FIRST, KEEP);
  // It cannot write where a folder is: the files before are new, those after old.
  Deno.mkdirSync(`${out}/new`);
  const broken = new Map([...FIRST, ["new", encoder.encode("new")]]);
  await assertRejects(() => writeBuild(out, broken, KEEP), Error, "it is a folder");
  Deno.removeSync(`${out}/new`);
  await writeBuild(out, SECOND, KEEP);
  Deno.removeSync(`${out}/.vit-msn-edge.json`);
  await writeBuild(out, SECOND, KEEP);
});
