import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { parquetReadObjects } from "hyparquet";
import { index } from "../../src/cli/index.ts";
import { search } from "../../src/cli/search.ts";
import { readSafetensors } from "../../src/checkpoint/safetensors.ts";
import { toFloat32 } from "../../src/tensor/float16.ts";
import { tarFile } from "../dataset/tar_file.ts";
import { EMPTY_SYSTEM, run, TempFolder } from "./run.ts";

const NAMES = ["airplane", "bird", "deer", "dog", "ship"];
const photo = (name: string) => Deno.readFileSync(`test/images/${name}.jpg`);

/** A folder with a folder of photos. */
function photoFolder(): TempFolder {
  const folder = new TempFolder();
  for (const name of NAMES) folder.write(`photos/${name}.jpg`, photo(name));
  return folder;
}

/** Runs `index` on sources in a folder; its last line as an object. */
async function update(folder: TempFolder, sources: readonly string[], ...args: string[]) {
  const result = await run(index, [
    ...sources.map((source) => `${folder.path}/${source}`),
    "--db",
    `${folder.path}/a.sqlite`,
    "--json",
    ...args,
  ]);
  const lines = result.stdout.trimEnd().split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  const { db: _, ...summary } = lines.at(-1) ?? {};
  return { ...result, lines, summary };
}

/** The paths that `search` finds, without the folder, for each photo. */
async function find(folder: TempFolder, photos: readonly string[], ...args: string[]) {
  const { code, stdout, stderr } = await run(search, [
    ...photos,
    "--db",
    `${folder.path}/a.sqlite`,
    "--json",
    ...args,
  ]);
  assertEquals([code, stderr], [0, ""]);
  return stdout.trimEnd().split("\n").map((line) => {
    const { neighbours } = JSON.parse(line) as {
      neighbours: { path: string; similarity: number }[];
    };
    return neighbours.map(({ path }) => path.replace(`${folder.path}/`, ""));
  });
}

Deno.test("index embeds a folder, search finds each photo first", async () => {
  using folder = photoFolder();
  const { code, summary, stderr } = await update(folder, ["photos"], "--jobs", "2");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(summary, { images: 5, vectors: 5, embedded: 5, known: 0, forgotten: 0, failed: 0 });
  const photos = NAMES.map((name) => `test/images/${name}.jpg`);
  const found = await find(folder, photos, "--top-k", "3");
  assertEquals(found.map(([first]) => first), NAMES.map((name) => `photos/${name}.jpg`));
  assertEquals(found.map(({ length }) => length), [3, 3, 3, 3, 3]);
});

Deno.test("index embeds only what is new or changed, and forgets what is gone", async () => {
  using folder = photoFolder();
  await update(folder, ["photos"]);
  const again = await update(folder, ["photos"]);
  assertEquals([again.summary.embedded, again.summary.known], [0, 5]);
  const inPhotos = (name: string) => `${folder.path}/photos/${name}.jpg`;
  Deno.renameSync(inPhotos("bird"), inPhotos("renamed"));
  folder.write("photos/cat/deer.jpg", photo("horse")); // new
  folder.write("photos/dog.jpg", photo("truck")); // changed
  folder.write("photos/twin.jpg", photo("ship"));
  Deno.removeSync(inPhotos("airplane"));
  const { summary } = await update(folder, ["photos"]);
  assertEquals(summary, { images: 6, vectors: 5, embedded: 2, known: 4, forgotten: 2, failed: 0 });
  const [ship, truck] = await find(folder, ["test/images/ship.jpg", "test/images/truck.jpg"]);
  assertEquals(ship!.slice(0, 2), ["photos/ship.jpg", "photos/twin.jpg"]);
  assertEquals(truck![0], "photos/dog.jpg");
  assertEquals(await find(folder, ["test/images/ship.jpg"], "--where", "label=cat"), [[
    "photos/cat/deer.jpg",
  ]]);
  const [twins] = await find(folder, ["test/images/dog.jpg"], "--where", "path=*/photos/[rt]*.jpg");
  assertEquals(twins!.toSorted(), ["photos/renamed.jpg", "photos/twin.jpg"]);
});

Deno.test("index takes tables and tar files, and keeps sources apart", async () => {
  using folder = photoFolder();
  folder.write("list.jsonl", '{"path": "photos/dog.jpg", "label": "pet"}\n');
  folder.write("list.csv", "path,label\nphotos/ship.jpg,boat\n");
  const entry = { name: "in/frog.jpg", content: photo("frog") };
  folder.write("a.tar", tarFile([entry, { name: "in/frog.cls", content: "green" }]));
  const { code, summary } = await update(folder, ["list.jsonl", "list.csv", "a.tar"]);
  assertEquals([code, summary.images, summary.embedded], [0, 3, 3]);
  assertEquals(await find(folder, ["test/images/frog.jpg"], "--top-k", "1"), [[
    "a.tar/in/frog.jpg",
  ]]);
  for (const [label, path] of [["pet", "photos/dog.jpg"], ["green", "a.tar/in/frog.jpg"]]) {
    const found = await find(folder, ["test/images/deer.jpg"], "--where", `label=${label}`);
    assertEquals(found, [[path]]);
  }
  folder.write("a.tar", tarFile([{ ...entry, name: "other.jpg" }]));
  const moved = await update(folder, ["a.tar"]);
  assertEquals([moved.summary.embedded, moved.summary.forgotten, moved.summary.images], [0, 1, 3]);
  const gone = await update(folder, ["list.jsonl"], "--forget");
  assertEquals([gone.code, gone.summary.forgotten, gone.summary.images], [0, 1, 2]);
  const unknown = await update(folder, ["nowhere"], "--forget");
  assertEquals(unknown.code, 1);
  assertStringIncludes(unknown.stderr, "it is no source of the index; its sources: ");
});

Deno.test("index reports and skips what it cannot read, and forgets nothing of a source that is gone", async () => {
  using folder = photoFolder();
  folder.write("photos/empty.jpg", "");
  folder.write("photos/empty too.jpg", "");
  folder.write("photos/text.png", "no image");
  folder.write("photos/'; drop table image; --.jpg", photo("frog"));
  const { code, summary, lines, stderr } = await update(folder, ["photos"], "--jobs", "2");
  assertEquals([code, summary.images, summary.failed], [1, 6, 3]);
  assertEquals(lines.length, 4);
  assertEquals(stderr.trimEnd().split("\n").length, 3);
  assertEquals((await find(folder, ["test/images/frog.jpg"], "--top-k", "1"))[0], [
    "photos/'; drop table image; --.jpg",
  ]);
  for (const name of [...Deno.readDirSync(`${folder.path}/photos`)]) {
    Deno.removeSync(`${folder.path}/photos/${name.name}`);
  }
  const emptied = await update(folder, ["photos"]); // such as a disk that is not mounted
  assertEquals([emptied.code, emptied.summary.images], [1, 6]);
  assertStringIncludes(emptied.stderr, "no image is in this folder");
  assertEquals((await update(folder, ["photos"], "--forget")).summary.images, 0);
  assertEquals(await find(folder, ["test/images/frog.jpg"]), [[]]);
});

Deno.test("index names a hundred images that it cannot read, and counts the others", async () => {
  using folder = new TempFolder();
  for (let i = 0; i < 102; i++) folder.write(`photos/${i}.jpg`, "");
  const { code, stdout, stderr } = await run(index, [
    `${folder.path}/photos`,
    "--db",
    `${folder.path}/a.sqlite`,
  ]);
  const lines = stderr.trimEnd().split("\n");
  assertEquals([code, lines.length], [1, 101]);
  assertEquals(lines.at(-1), "index: 2 more images failed; --json lists all");
  assertStringIncludes(stdout, "102 failed");
});

Deno.test("an image that can no longer be read leaves the index", async () => {
  using folder = photoFolder();
  await update(folder, ["photos"]);
  folder.write("photos/dog.jpg", "no image any more");
  const { code, summary } = await update(folder, ["photos"]);
  assertEquals([code, summary.images, summary.failed, summary.forgotten], [1, 4, 1, 1]);
});

Deno.test("search prints a table, and writes a page that needs no other file", async () => {
  using folder = photoFolder();
  folder.write("a.tar", tarFile([{ name: "<b>.jpg", content: photo("frog") }]));
  await update(folder, ["photos", "a.tar"]);
  Deno.removeSync(`${folder.path}/photos/deer.jpg`);
  const page = `${folder.path}/found.html`;
  const args = ["--db", `${folder.path}/a.sqlite`, "--html", page];
  const { code, stdout } = await run(search, ["test/images/frog.jpg", "-", ...args], {
    stdin: photo("ship"),
  });
  assertEquals(code, 0);
  assertMatch(stdout, /^test\/images\/frog\.jpg\n {2} (1\.0000|0\.999\d) {2}.*<b>\.jpg\n/);
  const html = Deno.readTextFileSync(page);
  assertEquals(html.match(/src="data:image\/png;base64,/g)?.length, 11); // not the deer, not -
  assertEquals(html.match(/<figure>/g)?.length, 14);
  assertStringIncludes(html, "&lt;b&gt;.jpg");
  assert(!/(src|href)="(?!data:)/.test(html));
});

Deno.test("search takes several tests: any of a kind, and all kinds", async () => {
  using folder = photoFolder();
  folder.write("photos/pets/dog.jpg", photo("dog"));
  folder.write("photos/pets/2024/horse.jpg", photo("horse"));
  folder.write("photos/boats/ship.jpg", photo("ship"));
  await update(folder, ["photos"]);
  const found = async (...tests: string[]) => {
    const where = tests.flatMap((test) => ["--where", test]);
    const [paths] = await find(folder, ["test/images/dog.jpg"], ...where);
    return paths!.toSorted();
  };
  const pets = ["photos/pets/2024/horse.jpg", "photos/pets/dog.jpg"];
  assertEquals(await found("label=pets"), pets);
  assertEquals(await found("label=boats", "label=pets"), ["photos/boats/ship.jpg", ...pets]);
  assertEquals(await found("label=boats", "path=*/2024/*", "label=pets"), pets.slice(0, 1));
  assertEquals(await found("path=*/2024/*", "path=*/boats/*"), [
    "photos/boats/ship.jpg",
    pets[0]!,
  ]);
});

Deno.test("search takes a list of paths: those of the index by their vectors, without their files", async () => {
  using folder = photoFolder();
  folder.write("a.tar", tarFile([{ name: "in/frog.jpg", content: photo("frog") }]));
  await update(folder, ["photos", "a.tar"]);
  Deno.removeSync(`${folder.path}/photos/dog.jpg`);
  folder.write("folder/x", "");
  const paths = [
    `${folder.path}/photos/dog.jpg`,
    "test/images/ship.jpg",
    "nowhere.jpg",
    `${folder.path}/a.tar/in/frog.jpg`,
    `${folder.path}/folder`,
    "test/images/deer.jpg",
    "test/README.md",
    "https://example.com/x.jpg",
  ];
  const list = folder.write("list.txt", `# some\r\n\n${paths.join("\r\n")}\n\n`);
  const page = `${folder.path}/found.html`;
  const args = ["--text-file", list, "--db", `${folder.path}/a.sqlite`, "--top-k", "2"];
  const result = await run(search, [
    "test/images/bird.jpg",
    ...args,
    "--json",
    "--jobs",
    "2",
    "--html",
    page,
  ]);
  assertEquals(result.code, 1);
  const lines = result.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ file }) => file), ["test/images/bird.jpg", ...paths]);
  const nearest = (name: string) => [`${folder.path}/${name}`, 2];
  const failed = (words: string) => [words, 0];
  const expected = [
    nearest("photos/bird.jpg"),
    nearest("photos/dog.jpg"),
    nearest("photos/ship.jpg"),
    failed("the index has no image of this path, and there is no such file"),
    nearest("a.tar/in/frog.jpg"),
    failed("it is a folder; name an image"),
    nearest("photos/deer.jpg"),
    failed("no image format known here"),
    failed("URLs are not fetched"),
  ];
  for (const [i, [words, count]] of expected.entries()) {
    const { neighbours = [], error } = lines[i];
    assertStringIncludes(neighbours[0]?.path ?? error, `${words}`);
    assertEquals(neighbours.length, count);
  }
  assert(lines[1].neighbours[0].similarity > 0.999);
  assertEquals(Deno.readTextFileSync(page).match(/<section>/g)?.length, 5);

  // Without a photo to read, another model than the index's does no harm, unless it is named.
  const known = folder.write("known.txt", `${paths[0]}\n${paths[2]}\n`);
  const model = folder.write("other.onnx", "no model");
  const ids = ["--text-file", known, "--db", `${folder.path}/a.sqlite`];
  const alone = await run(search, ids);
  assertEquals([alone.code, alone.stdout.split("\n")[0]], [1, paths[0]]);
  assertStringIncludes(alone.stderr, "nowhere.jpg: the index has no image");
  assertStringIncludes((await run(search, [...ids, "--model", model])).stderr, "other.onnx");
  for (
    const [content, words] of [
      ["\n# nothing\n", "it names no image"],
      [Uint8Array.of(255, 254, 9), "it is not text"],
    ] as const
  ) {
    const wrong = await run(search, [
      "--text-file",
      folder.write("wrong.txt", content),
      "--db",
      `${folder.path}/a.sqlite`,
    ]);
    assertEquals(wrong.code, 1);
    assertStringIncludes(wrong.stderr, words);
  }
});

Deno.test("an index of another model is refused, by index and by search", async () => {
  using folder = photoFolder();
  await update(folder, ["photos"]);
  const mean = await update(folder, ["photos"], "--pool", "mean");
  assertEquals(mean.code, 1);
  assertStringIncludes(mean.stderr, "--pool cls, not mean");
  const model = `${folder.path}/other.onnx`;
  // The embedded model with a documentation string: field 6 of ModelProto.
  const embedded = Deno.readFileSync("functions/_shared/model.onnx");
  Deno.writeFileSync(model, concat([Uint8Array.of(0x32, 1, 0x78), embedded]));
  const args = ["test/images/dog.jpg", "--db", `${folder.path}/a.sqlite`, "--model", model];
  const { code, stderr } = await run(search, args);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "embed anew with `deno task index");
});

Deno.test("search pools as the index says", async () => {
  using folder = photoFolder();
  await update(folder, ["photos"], "--pool", "mean");
  const [found] = await find(folder, ["test/images/dog.jpg"]);
  assertEquals(found![0], "photos/dog.jpg");
});

Deno.test("index --export writes all vectors in shards, as npy or safetensors", async () => {
  using folder = photoFolder();
  await update(folder, ["photos"]);
  const db = `${folder.path}/a.sqlite`;
  for (const format of ["npy", "safetensors"]) {
    const out = `${folder.path}/${format}`;
    const { code, stdout } = await run(index, ["--db", db, "--export", out, "--format", format]);
    assertEquals([code, stdout], [0, `${out}: 5 images in 1 shard\n`]);
    assertEquals([...Deno.readDirSync(out)].map(({ name }) => name).toSorted(), [
      `embeddings-00000.${format}`,
      "images-00000.jsonl",
      "index.json",
    ]);
    const rows = Deno.readTextFileSync(`${out}/images-00000.jsonl`).trimEnd().split("\n")
      .map((line) => JSON.parse(line));
    assertEquals(
      rows.map(({ path }) => path),
      NAMES.map((name) => `${folder.path}/photos/${name}.jpg`),
    );
    const again = await run(index, ["--db", db, "--export", out]);
    assertEquals(again.code, 1);
    assertStringIncludes(again.stderr, "it exists; choose another name");
  }
  const tensor = readSafetensors(
    Deno.readFileSync(`${folder.path}/safetensors/embeddings-00000.safetensors`),
  ).get("embeddings")!;
  assertEquals([tensor.dtype, tensor.shape], ["float16", [5, 192]]);
  const { data } = toFloat32(tensor);
  for (let r = 0; r < 5; r++) {
    assert(Math.abs(Math.hypot(...data.slice(r * 192, (r + 1) * 192)) - 1) < 1e-3);
  }
  const npy = Deno.readFileSync(`${folder.path}/npy/embeddings-00000.npy`);
  assertStringIncludes(
    new TextDecoder("latin1").decode(npy.slice(0, 128)),
    "{'descr': '<f2', 'fortran_order': False, 'shape': (5, 192), }",
  );
  assertEquals(
    npy.slice(128),
    new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, 5 * 192 * 2),
  );
});

Deno.test("index --export writes Parquet that hyparquet reads", async () => {
  using folder = photoFolder();
  folder.write("photos/pet/frog.jpg", photo("frog"));
  await update(folder, ["photos"]);
  const db = `${folder.path}/a.sqlite`;
  for (const format of ["parquet", "npy"]) {
    const { code } = await run(index, [
      ...["--db", db, "--format", format],
      ...["--export", `${folder.path}/${format}`],
    ]);
    assertEquals(code, 0);
  }
  const bytes = Deno.readFileSync(`${folder.path}/parquet/embeddings-00000.parquet`);
  const rows = await parquetReadObjects({ file: bytes.buffer });
  const lines = Deno.readTextFileSync(`${folder.path}/npy/images-00000.jsonl`).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  assertEquals(
    rows.map(({ path, label, sha256 }) => ({ path, ...(label ? { label } : {}), sha256 })),
    lines,
  );
  const halves = new Uint16Array(
    Deno.readFileSync(`${folder.path}/npy/embeddings-00000.npy`).slice(128).buffer,
  );
  const { data } = toFloat32({ dtype: "float16", shape: [6, 192], data: halves });
  assertEquals(rows.flatMap(({ embedding }) => embedding), Array.from(data));
});

Deno.test("index and search refuse wrong usage", async () => {
  for (
    const [command, args, code, words] of [
      [index, ["photos"], 2, "--db is missing"],
      [index, ["--db", "x"], 2, "no source given"],
      [index, ["a", "--db", "mysql://x"], 2, "--db is mysql://…"],
      [index, ["a", "--db", "x", "--enqueue"], 2, "--enqueue requires an index on Postgres"],
      [index, ["--db", "x", "--status"], 2, "--status requires an index on Postgres"],
      [index, ["a", "--db", "postgres://x/y", "--status"], 2, "--status takes no sources"],
      [
        index,
        ["a", "--db", "postgres://x/y", "--enqueue", "--forget"],
        2,
        "--forget does not go with --enqueue",
      ],
      [index, ["--db", "x", "--status", "--jobs", "2"], 2, "--jobs does not go with --status"],
      [index, ["a", "--db", "x", "--enqueue", "--threads", "2"], 2, "--threads does not go with"],
      [index, ["--print-schema", "--json"], 2, "--json does not go with --print-schema"],
      [index, ["--db", "x", "--export", "y", "--status"], 2, "--status does not go with --export"],
      [index, ["a", "--db", "x", "--forget", "--format", "npy"], 2, "--format does not go with"],
      [index, ["a", "--db", "x", "--pool", "none"], 2, "--pool is none"],
      [index, ["a", "--db", "x", "--format", "npy"], 2, "--format requires --export"],
      [index, ["a", "--db", "x", "--export", "y"], 2, "--export takes no sources"],
      [index, ["--db", "x", "--export", "y", "--format", "csv"], 2, "--format is csv"],
      [index, ["--db", "test/nowhere", "--export", "y"], 1, "no such file; make it with"],
      [
        index,
        ["test/images", "--db", "test/nowhere/x"],
        1,
        "its folder is missing or not writable",
      ],
      [index, ["test/images", "--db", "test/images"], 1, "index test/images: it is a folder"],
      [search, ["a", "--db", "test/images"], 1, "index test/images: it is a folder"],
      [search, ["--db", "x"], 2, "no photo given"],
      [search, ["a", "--db", "x", "--top-k", "0"], 2, "--top-k is 0"],
      [search, ["a", "--db", "x", "--where", "size=3"], 2, "--where: size=3 is not label=NAME or"],
      [
        search,
        ["a", "--db", "x", "--where", "label=a", "--where", "path="],
        2,
        "--where: path= is not",
      ],
      [search, ["a", "--db", "x", "--where="], 2, "--where requires a value"],
      [search, ["a", "--db", "x", "--db", "y"], 2, "--db is given 2 times"],
      [search, ["a", "--db", "test/README.md"], 1, "another kind of file"],
    ] as const
  ) {
    const result = await run<typeof command.options>(command as never, args);
    assertEquals(result.code, code, result.stderr);
    assertStringIncludes(result.stderr, words);
  }
});

Deno.test("without a source in S3, commands give up the network before they read an image", async () => {
  using folder = photoFolder();
  const db = `${folder.path}/a.sqlite`;
  let dropped = 0;
  const system = { ...EMPTY_SYSTEM, dropNetwork: () => Promise.resolve(void dropped++) };
  const call = async (command: Parameters<typeof run>[0], ...args: string[]) => {
    dropped = 0;
    const { code } = await run(command, [...args, "--db", db], { system });
    return [code, dropped];
  };
  assertEquals(await call(index, `${folder.path}/photos`), [0, 1]);
  assertEquals(await call(search, "test/images/dog.jpg"), [0, 1]);
  // Nothing may be asked there: the task of the tests may not read the credentials.
  assertEquals(await call(index, "s3://photos"), [1, 0]);
});
