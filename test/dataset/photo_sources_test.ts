import { assertEquals, assertRejects } from "@std/assert";
import { findPretrainingImages } from "../../src/dataset/photo_sources.ts";
import { TempFolder } from "../cli/run.ts";

/** What is found below a folder, and what is warned of. */
async function find(folder: TempFolder, ...sources: string[]) {
  const warnings: string[] = [];
  const images = await findPretrainingImages(
    sources.map((source) => `${folder.path}/${source}`),
    (message) => warnings.push(message),
  );
  const found = images.map(({ file, label, error }) => {
    const name = file.replace(`${folder.path}/`, "");
    return error === undefined ? `${name} ${label}` : `${name}: ${error}`;
  });
  return { found, warnings };
}

Deno.test("a folder's images have the folder right in it as their label, at any depth", async () => {
  using folder = new TempFolder();
  for (
    const name of ["b.png", "dogs/2.JPG", "dogs/old/1.webp", "cats/1.png", ".git/x.png", "a.gif"]
  ) folder.write(`photos/${name}`, "");
  folder.write("photos/notes.md", "");
  folder.write("photos/cats/c.heic", "");
  for (
    const source of ["photos", "photos/", "./photos", "../" + folder.path.slice(5) + "/photos"]
  ) {
    const { found, warnings } = await find(folder, source);
    assertEquals(found.map((line) => line.slice(line.indexOf("photos/"))), [
      "photos/a.gif undefined",
      "photos/b.png undefined",
      "photos/cats/1.png cats",
      "photos/dogs/2.JPG dogs",
      "photos/dogs/old/1.webp dogs",
    ]);
    assertEquals(warnings, ["left out: 1 HEIC; convert it to JPEG or PNG"]);
  }
  assertEquals((await find(folder, "photos/dogs")).found, [
    "photos/dogs/2.JPG undefined",
    "photos/dogs/old/1.webp old",
  ]);
});

Deno.test("images and globs have no label, and a path comes once", async () => {
  using folder = new TempFolder();
  for (const name of ["2.png", "1.png", "x/3.png"]) folder.write(name, "");
  assertEquals((await find(folder, "2.png")).found, ["2.png undefined"]);
  assertEquals((await find(folder, "*.png")).found, ["1.png undefined", "2.png undefined"]);
  assertEquals((await find(folder, "2.png", "", "x//3.png")).found, [
    "2.png undefined",
    "1.png undefined",
    "x/3.png x",
  ]);
});

Deno.test("a table has paths relative to it, and perhaps labels", async () => {
  using folder = new TempFolder();
  const rows = ["sub/a.png cat", "sub/b.png undefined", "sub/c.png undefined"];
  for (
    const [name, text] of [
      ["header.csv", "label,path\ncat,a.png\n,b.png\n,c.png\n"],
      ["plain.csv", "a.png,cat\nb.png,\nc.png,\n"],
      [
        "lines.jsonl",
        `{"path": "a.png", "label": "cat"}\n{"path": "b.png", "label": null}\n\n{"path": "c.png"}`,
      ],
    ] as const
  ) {
    folder.write(`sub/${name}`, text);
    assertEquals((await find(folder, `sub/${name}`)).found, rows, name);
  }
  folder.write("sub/only.csv", "path\na.png\nb.png\n");
  assertEquals((await find(folder, "sub/only.csv")).found, [
    "sub/a.png undefined",
    "sub/b.png undefined",
  ]);
});

Deno.test("a list has a path a line, relative to it", async () => {
  using folder = new TempFolder();
  folder.write("sub/list.txt", "\ufeff# photos\r\n b.png\r\n\r\n../a b.jpg\n/there/c.png");
  const { found } = await find(folder, "sub/list.txt");
  assertEquals(found, ["sub/b.png undefined", "a b.jpg undefined", "/there/c.png undefined"]);
});

Deno.test("a file that is named - in a list is not standard input", async () => {
  using folder = new TempFolder();
  const list = folder.write("list.txt", "../../-");
  // From the list's folder, the path leads to the current one.
  assertEquals(await findPretrainingImages([list], () => {}), [{ file: "./-" }]);
});

Deno.test("a source that gives no image is an error that names it and says what to do", async () => {
  using folder = new TempFolder();
  folder.write("empty/notes.md", "");
  folder.write("heic/1.heic", "");
  folder.write("no_rows.csv", "path,label\n");
  folder.write("header.csv", "file,class\na.png,x\n");
  folder.write("broken.jsonl", "{");
  folder.write("number.jsonl", `{"path": "a.png", "label": 3}`);
  folder.write("half.jsonl", `{"label": "cat"}`);
  folder.write("comments.txt", "# nothing\n\n");
  folder.write("binary.txt", Uint8Array.of(0xff, 0xd8, 0xff));
  folder.write("zeros.txt", "a\0b");
  const text = "it is not text; write one path a line";
  for (
    const [source, reason] of [
      ["missing", "no such file; give a folder of photos"],
      ["missing.txt", "no such file; give a folder of photos"],
      ["missing.csv", "no such file; give a folder of photos"],
      ["*.png", "no file matches"],
      ["empty", "no image is in this folder (.jpg"],
      ["heic", "no image that can be read, but 1 HEIC; convert it to JPEG or PNG"],
      ["no_rows.csv", "it has no rows; give a folder of photos"],
      ["header.csv", "its header is file,class; it takes a header with path and"],
      ["broken.jsonl", "line 1 is not JSON"],
      ["number.jsonl", "row 1 has a label that is not text; it takes path and"],
      ["half.jsonl", "row 1 has no path, but label; it takes path and"],
      ["comments.txt", "it names no image; give a folder of photos"],
      ["binary.txt", text],
      ["zeros.txt", text],
    ] as const
  ) {
    const path = `${folder.path}/${source}`;
    const find = () => findPretrainingImages([path], () => {});
    await assertRejects(find, Error, `${path}: ${reason}`);
  }
  const find = (sources: string[]) =>
    findPretrainingImages(sources, () => {}, (path) => `not ${path}`);
  await assertRejects(() => find(["https://a.png"]), Error, "https://a.png: not https://a.png");
  await assertRejects(() => find(["-"]), Error, "-: photos are not read from standard input; give");
  await assertRejects(() => find([]), Error, "Cannot find photos: give a folder of photos");
});
