// What installing and importing this package costs, beside @huggingface/transformers from npm.
// deno task bench:install [--rounds 7]

import { command } from "../hosts/support/command.ts";
import { installPackage, packPackage } from "../hosts/support/packed.ts";
import { runBench } from "./support/arguments.ts";
import { roundsOf } from "./support/rounds_of.ts";
import { readProcessor } from "./support/host/processor.ts";
import { markdownTable } from "./support/markdown_table.ts";
import { median } from "./support/measure.ts";

const TRANSFORMERS = "@huggingface/transformers";
const TRANSFORMERS_VERSION = "4.3.2";

/** Prints the milliseconds of an import, and the process' memory after it in MB; its argument is the package. */
const IMPORT = `
const start = performance.now();
await import(process.argv[2]);
const milliseconds = performance.now() - start;
console.log(JSON.stringify({ milliseconds, memory: process.memoryUsage.rss() / 1e6 }));
process.exit();
`;

/** What an import cost. */
interface Import {
  readonly milliseconds: number;
  readonly memory: number;
}

/** A set-up in a folder of its own. */
interface Setup {
  readonly name: string;
  readonly folder: string;
  /** What is imported; nothing for Node.js alone. */
  readonly module: string;
}

await runBench("bench:install", async () => {
  const rounds = roundsOf(Deno.args, 7);
  const folder = await Deno.makeTempDir();
  try {
    const setups = await install(folder);
    const imports = new Map(setups.map((setup) => [setup, [] as Import[]]));
    const failures = new Map<Setup, string>();
    for (let round = 0; round <= rounds; round++) {
      for (const setup of setups) {
        if (failures.has(setup)) continue;
        try {
          const result = await importOnce(setup);
          // The first round reads the files from the disk.
          if (round > 0) imports.get(setup)!.push(result);
        } catch (error) {
          failures.set(setup, reasonOf(error));
        }
      }
    }
    const sizes = new Map<Setup, Size>();
    for (const setup of setups) sizes.set(setup, await sizeOf(`${setup.folder}/node_modules`));
    const of = (setup: Setup, value: (result: Import) => number) =>
      failures.get(setup) ?? median(imports.get(setup)!.map(value)).toFixed(0);
    const { processor } = await readProcessor();
    const version = (await command("node", ["--version"])).trim();
    console.log(`${processor}; Node.js ${version}; medians of ${rounds}\n`);
    console.log(markdownTable<Setup>(
      {
        "": ({ name }) => name,
        "packages": (setup) => String(sizes.get(setup)!.packages),
        "installed, MB": (setup) => (sizes.get(setup)!.bytes / 1e6).toFixed(1),
        "import, ms": (setup) => of(setup, ({ milliseconds }) => milliseconds),
        "memory after it, MB": (setup) => of(setup, ({ memory }) => memory),
      },
      1,
      setups,
    ));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function install(folder: string): Promise<Setup[]> {
  const own = `${folder}/own`;
  await installPackage(await packPackage(folder), own);
  const setups: Setup[] = [
    { name: "Node.js alone", folder: `${folder}/none`, module: "node:fs" },
    { name: "this project", folder: own, module: "@vit-msn/edge" },
  ];
  await Deno.mkdir(`${folder}/none/node_modules`, { recursive: true });
  for (
    const [name, options] of [["", []], [", without optional packages", [
      "--omit=optional",
    ]]] as const
  ) {
    const peer = `${folder}/peer-${setups.length}`;
    await Deno.mkdir(peer);
    await Deno.writeTextFile(`${peer}/package.json`, '{ "private": true, "type": "module" }');
    // Without scripts: onnxruntime-node's would download more.
    const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...options];
    await command("npm", [...args, `${TRANSFORMERS}@${TRANSFORMERS_VERSION}`], { cwd: peer });
    setups.push({
      name: `${TRANSFORMERS} ${TRANSFORMERS_VERSION}${name}`,
      folder: peer,
      module: TRANSFORMERS,
    });
  }
  for (const { folder } of setups) await Deno.writeTextFile(`${folder}/import.mjs`, IMPORT);
  return setups;
}

async function importOnce({ folder, module }: Setup): Promise<Import> {
  return JSON.parse(await command("node", ["import.mjs", module], { cwd: folder }));
}

/** The line that says what went wrong. */
function reasonOf(error: unknown): string {
  const [, ...lines] = String(error).split("\n");
  const line = lines.find((line) => /^\w*Error\b.*:/.test(line));
  return `fails: ${line ?? String(error)}`;
}

interface Size {
  bytes: number;
  packages: number;
}

/** All files below a folder. */
async function sizeOf(folder: string): Promise<Size> {
  const size = { bytes: 0, packages: 0 };
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isFile) size.bytes += (await Deno.stat(path)).size;
    if (isFile && name === "package.json" && /\/node_modules\/(@[^/]+\/)?[^/]+$/.test(folder)) {
      size.packages++;
    }
    if (!isDirectory) continue;
    const { bytes, packages } = await sizeOf(path);
    size.bytes += bytes;
    size.packages += packages;
  }
  return size;
}
