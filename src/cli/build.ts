import { isAbsolute, join } from "@std/path";
import { container } from "../build/container/container.ts";
import { startEsbuild } from "../build/esbuild.ts";
import { denoDeployFunctions, denoFunctions } from "../build/functions/deno.ts";
import { supabaseFunctions } from "../build/functions/supabase.ts";
import { modelOfBuild } from "../build/model_of_build.ts";
import type { BuiltTarget, TargetOptions } from "../build/target.ts";
import { webPage } from "../build/web/web_page.ts";
import { cloudflareWorker } from "../build/workers/worker.ts";
import { writeBuild } from "../build/write_build.ts";
import { DECODE_MODES } from "../image/decode_options.ts";
import { choiceOption, type Command, type OptionValues, UsageError } from "./command.ts";
import { main } from "./main.ts";
import { commandLine } from "./output/command_line.ts";
import { FORCE_OPTION } from "./options/overwrite.ts";
import type { Terminal } from "./output/terminal.ts";

const options = {
  out: { value: "FOLDER", help: "Where to write; default dist" },
  target: {
    value: "HOST",
    help: "deno: any host that runs Deno (default); deno-deploy: also writes its settings; " +
      "supabase: writes its folders and config.toml, bundles no workers; workers: a Cloudflare " +
      "Worker; container: a Dockerfile and a KServe manifest; npm: the library as a package; " +
      "web: the page, for any static host",
  },
  model: {
    value: "FILE",
    help: "An ONNX file made by `deno task fit` or `convert`; default is the embedded model",
  },
  "with-onnxruntime": {
    help: "Include onnxruntime-web (14 MB) to run ONNX files made by other tools",
  },
  "with-index": {
    help: "supabase: also make the function index, for an index in its Postgres",
  },
  weights: {
    value: "FORM",
    help:
      "packed: ready for this project's kernels (default); onnx: the ONNX file, the default with " +
      "--with-onnxruntime",
  },
  decode: {
    value: "HOW",
    help:
      "How JPEGs are decoded: standard (default), exact (includes mozjpeg, 200 kB) or fast (the " +
      "default of workers)",
  },
  force: FORCE_OPTION,
};

const TARGETS = [
  "deno",
  "deno-deploy",
  "supabase",
  "workers",
  "container",
  "npm",
  "web",
] as const;

/** `deno task build`: bundles the functions for a host. */
export const build: Command<typeof options> = {
  name: "build",
  usage: "",
  description:
    "Bundles the service for a host: as the functions classify and embed, or with all routes as a\n" +
    "Worker or a container. The bundles need no npm cache and no network. Or packs the library, or\n" +
    "makes the page that classifies, explains and teaches in the browser.",
  options,
  examples: [
    ["", "dist/classify.js and dist/embed.js"],
    ["--model my.onnx --target supabase --out supabase", "Bundle a fitted model for Supabase"],
    ["--target supabase --with-index --out supabase", "Also the function that keeps an index"],
    ["--target workers --out worker", "A Cloudflare Worker"],
  ],
  async run(positional, values, terminal) {
    if (positional.length > 0) throw new UsageError(`unexpected argument ${positional[0]}`);
    const target = choiceOption("target", values.target, TARGETS);
    const out = values.out ?? "dist";
    if (values["with-index"] && target !== "supabase") {
      throw new UsageError("--with-index requires --target supabase");
    }
    if (target === "npm") return await buildPackage(out, values, terminal);
    if (target === "web") assertUnused(target, values, OF_SERVICES);
    const withOnnxruntime = values["with-onnxruntime"];
    const weights = choiceOption(
      "weights",
      values.weights ?? (withOnnxruntime || target === "web" ? "onnx" : undefined),
      ["packed", "onnx"],
    );
    if (withOnnxruntime && target === "workers") {
      throw new UsageError(
        "--with-onnxruntime does not go with --target workers: it cannot run there",
      );
    }
    if (withOnnxruntime && weights === "packed") {
      throw new UsageError("--with-onnxruntime requires --weights onnx");
    }
    const byDefault = target === "workers" ? "fast" : undefined;
    const decode = choiceOption("decode", values.decode ?? byDefault, DECODE_MODES);
    const model = await modelOfBuild(values.model, weights, withOnnxruntime);
    await using _esbuild = await startEsbuild();
    const options = { out, model, decode, withOnnxruntime, withIndex: values["with-index"] };
    const { files, nextStep, command } = await BUILDERS[target](options);
    await writeBuild(out, files, values);
    list(out, files, terminal);
    terminal.stdout.write(`${nextStep}${command ? `: ${commandLine(command)}` : ""}\n`);
    return 0;
  },
};

/** How each target but the library is made. */
const BUILDERS: Readonly<
  Record<Exclude<typeof TARGETS[number], "npm">, (options: TargetOptions) => Promise<BuiltTarget>>
> = {
  deno: denoFunctions,
  "deno-deploy": denoDeployFunctions,
  supabase: supabaseFunctions,
  workers: cloudflareWorker,
  container,
  web: webPage,
};

/** What `--target web` has no use for: the page takes ONNX files, and decodes as the commands do. */
const OF_SERVICES = ["with-onnxruntime", "weights", "decode"] as const;

/** What `--target npm` has no use for. */
const OF_FUNCTIONS = ["model", ...OF_SERVICES] as const;

/** @throws {UsageError} if an option is given that a target has no use for. */
function assertUnused(
  target: string,
  values: OptionValues<typeof options>,
  names: readonly (typeof OF_FUNCTIONS)[number][],
): void {
  const unused = names.find((name) => values[name]);
  if (!unused) return;
  throw new UsageError(
    `--${unused} is for functions; --target ${target} ${
      target === "npm" ? "packs the library" : "makes a page"
    }`,
  );
}

/** Writes the npm package. */
async function buildPackage(
  out: string,
  values: OptionValues<typeof options>,
  terminal: Terminal,
): Promise<number> {
  assertUnused("npm", values, OF_FUNCTIONS);
  const { npmPackage } = await import("../build/npm/npm_package.ts");
  await using _esbuild = await startEsbuild();
  const files = await npmPackage();
  await writeBuild(out, files, values);
  list(out, new Map([...files].filter(([path]) => !path.startsWith("types/"))), terminal);
  terminal.stdout.write(`Pack it: npm pack ${isAbsolute(out) ? out : `./${out}`}\n`);
  return 0;
}

/** Lists files with their sizes. */
function list(out: string, files: ReadonlyMap<string, Uint8Array>, { stdout }: Terminal): void {
  for (const [path, { length }] of files) {
    stdout.write(`${join(out, path)}  ${Math.ceil(length / 1000)} kB\n`);
  }
}

if (import.meta.main) await main(build);
