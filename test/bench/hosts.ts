// From the start of a host to the first label of a photo, with the packed npm package: processes, a page, a
// Worker; in turn.
// deno task bench:hosts [--rounds 9]

import { viteSite } from "../hosts/chromium.ts";
import { command } from "../hosts/support/command.ts";
import { writeImages } from "../hosts/support/images.ts";
import { installPackage, packPackage } from "../hosts/support/packed.ts";
import { installTools, lower, node, TOOLS } from "../hosts/support/tools.ts";
import { workerdFolder } from "../hosts/workerd.ts";
import { freePort } from "../http/socket.ts";
import { runBench } from "./support/arguments.ts";
import { roundsOf } from "./support/rounds_of.ts";
import { readProcessor } from "./support/host/processor.ts";
import { markdownTable } from "./support/markdown_table.ts";
import { median } from "./support/measure.ts";

const LABEL = "airplane";

/** How often workerd's port is tried, in milliseconds. */
const CONNECT_INTERVAL = 2;

/** Starts a host and tells the milliseconds to its first label. */
type Start = () => Promise<number>;

await runBench("bench:hosts", async () => {
  const rounds = roundsOf(Deno.args, 9);
  await installTools();
  const folder = await Deno.makeTempDir();
  try {
    const hosts = await hostsOf(folder);
    const times = new Map(Object.keys(hosts).map((name) => [name, [] as number[]]));
    for (let round = 0; round <= rounds; round++) {
      for (const [name, start] of Object.entries(hosts)) {
        const time = await start();
        // The first round fills the caches.
        if (round > 0) times.get(name)!.push(time);
      }
    }
    const { processor } = await readProcessor();
    console.log(`${processor}; start to the first label of a JPEG, medians of ${rounds}\n`);
    console.log(markdownTable(
      {
        "host": ([name]) => name,
        "ms": ([, all]) => median(all).toFixed(0),
        "fastest": ([, all]) => Math.min(...all).toFixed(0),
      },
      1,
      [...times],
    ));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function hostsOf(folder: string): Promise<Record<string, Start>> {
  const images = `${folder}/images`;
  await writeImages(images);
  const project = `${folder}/project`;
  await installPackage(await packPackage(folder), project);
  await lower("label_process", project);
  const page = await viteSite(project, "label_page", images);
  const worker = await workerdFolder(project, "label_cloudflare");
  await Deno.writeTextFile(`${worker}/config.capnp`, await capnpOf(worker));

  const photo = `${images}/${LABEL}.jpg`;
  const program = ["label_process.mjs", photo];
  const bun = `${TOOLS}/node_modules/bun/bin/bun.exe`;
  const nodeVersion = (await command("node", ["--version"])).trim();
  const bunVersion = (await command(bun, ["--version"])).trim();
  const deno = ["run", "--node-modules-dir=manual", "--allow-read"];
  return {
    [`Node.js ${nodeVersion}`]: () => process("node", program, project),
    [`Bun ${bunVersion}`]: () => process(bun, program, project),
    [`Deno ${Deno.version.deno}`]: () => process("deno", [...deno, ...program], project),
    "workerd, from its process' start to the answer": () => workerd(worker, photo),
    "Chromium, from the navigation": () => chromium(project, page),
  };
}

/** To the label on stdout. */
async function process(program: string, args: readonly string[], cwd: string): Promise<number> {
  const start = performance.now();
  const child = new Deno.Command(program, { args: [...args], cwd, stdout: "piped" }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  const time = performance.now() - start;
  assertLabel(program, value.trim());
  while (!(await reader.read()).done);
  await child.status;
  return time;
}

/** Of a page in a browser that runs already, with nothing in its caches. */
async function chromium(cwd: string, site: string): Promise<number> {
  const text = await node("in_chromium", [TOOLS, "chromium", site], cwd);
  const [{ label, milliseconds }] = JSON.parse(text);
  assertLabel("Chromium", label);
  return milliseconds;
}

/** The real program, without miniflare. */
async function workerd(folder: string, photo: string): Promise<number> {
  const body = await Deno.readFile(photo);
  const port = freePort();
  const start = performance.now();
  const child = new Deno.Command(workerdProgram(), {
    args: ["serve", "config.capnp", `--socket-addr=http=127.0.0.1:${port}`],
    cwd: folder,
    stderr: "null",
  }).spawn();
  try {
    const label = await answer(`http://127.0.0.1:${port}/`, body);
    const time = performance.now() - start;
    assertLabel("workerd", label);
    return time;
  } finally {
    child.kill();
    await child.status;
  }
}

function workerdProgram(): string {
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "64";
  return `${TOOLS}/node_modules/@cloudflare/workerd-${Deno.build.os}-${arch}/bin/workerd`;
}

/** Posts until there is a server. */
async function answer(url: string, body: Uint8Array<ArrayBuffer>): Promise<string> {
  while (true) {
    try {
      const response = await fetch(url, { method: "POST", body });
      return await response.text();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // nobody listens yet
      await new Promise((resolve) => setTimeout(resolve, CONNECT_INTERVAL));
    }
  }
}

/** workerd's configuration of the Worker in a folder. */
async function capnpOf(folder: string): Promise<string> {
  const kinds: Readonly<Record<string, string>> = { js: "esModule", wasm: "wasm", onnx: "data" };
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  names.sort((a, b) => Number(b === "index.js") - Number(a === "index.js"));
  const modules = names.map((name) =>
    `(name = "${name}", ${kinds[name.split(".").at(-1)!]} = embed "${name}")`
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  modules = [${modules.join(", ")}],
);
`;
}

function assertLabel(host: string, label: string): void {
  if (label !== LABEL) throw new Error(`${host} said ${label} of a photo of ${LABEL}`);
}
