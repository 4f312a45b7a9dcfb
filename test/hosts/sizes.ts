import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { markdownTable } from "../bench/support/markdown_table.ts";
import { command } from "./support/command.ts";
import { bundle } from "./support/tools.ts";

/** What a page may load to the first label of a JPEG, compressed and without the model, in bytes. */
const MAX_FIRST_LABEL = 110_000;

/**
 * What the main entry must not drag in. Of the hub, it has what the options and errors of `fromPretrained` are;
 * the rest is loaded when something is downloaded.
 */
const NOT_IN_MAIN =
  /onnxruntime|hono|src\/(train|http|search)\/|src\/hub\/(?!\w+_error|hub_options)/;

/** A user's program. */
const USER = `
import { readFileSync } from "node:fs";
import { decodeImage, loadClassifier } from "@vit-msn/edge";
const [, , photo, model] = process.argv;
const classifier = await loadClassifier(readFileSync(model));
const image = await decodeImage(readFileSync(photo));
console.log((await classifier.classify(image))[0].label);
`;

/** What esbuild tells about its output. */
interface Metafile {
  readonly outputs: Readonly<
    Record<string, {
      readonly bytes: number;
      readonly entryPoint?: string;
      readonly imports: readonly { readonly path: string; readonly kind: string }[];
      readonly inputs: Readonly<Record<string, unknown>>;
    }>
  >;
}

/** In bytes. */
interface Size {
  readonly min: number;
  readonly gzip: number;
}

/** A row of the table. */
interface Row {
  readonly entry: string;
  /** What a page loads at once. */
  readonly first: Size;
  readonly all: Size;
}

/** What users of the package download; prints a table. */
export async function sizes(
  t: Deno.TestContext,
  folder: string,
  images: string,
): Promise<void> {
  await t.step("sizes: to the first label of a JPEG", async () => {
    await Deno.writeTextFile(`${folder}/user.js`, USER);
    const { outputs, entryPoint } = await bundled(folder, "user");
    const decoder = Object.keys(outputs).find((file) => /\/jpeg-\w+-\w+\.js$/.test(file))!;
    const files = closure(outputs, [entryPoint, decoder]);
    const size = await sizeOf(folder, files);
    console.log(`\nTo the first label of a JPEG: ${kB(size.min)}, ${kB(size.gzip)} gzip`);
    assert(size.gzip <= MAX_FIRST_LABEL, `${size.gzip} bytes`);

    // Nothing else is loaded: these files suffice.
    const alone = `${folder}/alone`;
    await Deno.mkdir(alone);
    for (const file of files) {
      await Deno.copyFile(`${folder}/${file}`, `${alone}/${file.split("/").at(-1)}`);
    }
    await Deno.writeTextFile(`${alone}/package.json`, '{ "type": "module" }');
    const model = `${folder}/node_modules/@vit-msn/edge/model.onnx`;
    const label = await command("node", ["user.js", `${images}/ship.jpg`, model], { cwd: alone });
    assertEquals(label.trim(), "ship");
  });

  await t.step("sizes: each entry", async () => {
    const rows: Row[] = [];
    for (const name of Object.keys(config.exports)) {
      const file = name === "." ? "main" : name.slice(2);
      const entry = name.replace(/^\./, config.name);
      const program = `import * as all from "${entry}";\nglobalThis.all = all;\n`;
      await Deno.writeTextFile(`${folder}/${file}.js`, program);
      const { outputs, entryPoint } = await bundled(folder, file);
      rows.push({
        entry,
        first: await sizeOf(folder, closure(outputs, [entryPoint])),
        all: await sizeOf(folder, Object.keys(outputs)),
      });
    }
    console.log(`\n${
      markdownTable<Row>(
        {
          "import * from": ({ entry }) => `\`${entry}\``,
          "at once": ({ first }) => kB(first.min),
          "gzip": ({ first }) => kB(first.gzip),
          "with all chunks": ({ all }) => kB(all.min),
          "all, gzip": ({ all }) => kB(all.gzip),
        },
        1,
        rows,
      )
    }`);
  });

  await t.step("the main entry drags in no other one", async () => {
    const modules = await staticModules(`${folder}/node_modules/@vit-msn/edge`, "mod.js");
    assert(modules.has("src/model/load_model.ts"));
    assertEquals([...modules].filter((module) => NOT_IN_MAIN.test(module)), []);
  });
}

/** Bundles a program of the folder, minified, with chunks. */
async function bundled(
  folder: string,
  name: string,
): Promise<{ outputs: Metafile["outputs"]; entryPoint: string }> {
  const out = `out-${name}`;
  const external = ["node:*", "onnxruntime-web/*"].map((path) => `--external:${path}`);
  await bundle(`${name}.js`, [
    "--splitting",
    "--minify",
    ...external,
    `--outdir=${out}`,
    `--metafile=${folder}/${out}.json`,
  ], folder);
  const { outputs }: Metafile = JSON.parse(await Deno.readTextFile(`${folder}/${out}.json`));
  return { outputs, entryPoint: `${out}/${name}.js` };
}

/** Files, and all that they import statically. */
function closure(outputs: Metafile["outputs"], entries: readonly string[]): string[] {
  const found = new Set(entries);
  for (const file of found) { // also those that are added meanwhile
    for (const { path, kind } of outputs[file]!.imports) {
      if (kind === "import-statement" && path in outputs) found.add(path);
    }
  }
  return [...found];
}

async function sizeOf(folder: string, files: readonly string[]): Promise<Size> {
  const sizes = await Promise.all(files.map(async (file) => {
    const bytes = await Deno.readFile(`${folder}/${file}`);
    const compressed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
    const { byteLength } = await new Response(compressed).arrayBuffer();
    return { min: bytes.length, gzip: byteLength };
  }));
  return {
    min: sizes.reduce((sum, { min }) => sum + min, 0),
    gzip: sizes.reduce((sum, { gzip }) => sum + gzip, 0),
  };
}

function kB(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

/** The sources of a file of the package and of all that it imports statically, from esbuild's comments. */
async function staticModules(folder: string, entry: string): Promise<Set<string>> {
  const files = new Set([entry]);
  const modules = new Set<string>();
  for (const file of files) {
    const text = await Deno.readTextFile(`${folder}/${file}`);
    for (const [, module] of text.matchAll(/^\/\/ (\S+\.\w+)$/gm)) modules.add(module!);
    for (const [, path] of text.matchAll(/^(?:import|\} from) "\.\/([^"]+)";$/gm)) files.add(path!);
    for (const [, path] of text.matchAll(/^(?:import|\} from) "([^."][^"]*)";$/gm)) {
      modules.add(path!);
    }
  }
  return modules;
}
