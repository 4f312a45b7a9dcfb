import { concat } from "@std/bytes/concat";
import { isAbsolute, join } from "@std/path";
import { readWhole } from "../hub/read_whole.ts";
import { readModel } from "../onnx/read_model.ts";
import { packModelFile } from "../runtime/simd/pack_model_file.ts";
import { sha256 } from "../tensor/sha256.ts";
import { isSelfContained, toModelFile, verifiedWeights } from "../vit_msn/model_file.ts";
import { DECODE_MODES } from "../image/decode_options.ts";
import { bundle, type BundledFile } from "../build/bundle.ts";
import { startEsbuild } from "../build/esbuild.ts";
import {
  choiceOption,
  type Command,
  errorMessage,
  type OptionValues,
  UsageError,
} from "./command.ts";
import { readErrorMessage } from "../hub/file_error.ts";
import { commandLine } from "./output/command_line.ts";
import { main } from "./main.ts";
import { FORCE_OPTION } from "./options/overwrite.ts";
import type { Terminal } from "./output/terminal.ts";
import { writeBuild } from "../build/write_build.ts";

const options = {
  out: { value: "FOLDER", help: "Where to write; default dist" },
  target: {
    value: "HOST",
    help: "deno: any host that runs Deno (default); deno-deploy: also writes its settings; " +
      "supabase: writes its folders and config.toml, bundles no workers; npm: the library as a package",
  },
  model: {
    value: "FILE",
    help: "An ONNX file made by `deno task fit` or `convert`; default is the embedded model",
  },
  "with-onnxruntime": {
    help: "Include onnxruntime-web (14 MB) to run ONNX files made by other tools",
  },
  weights: {
    value: "FORM",
    help:
      "packed: ready for this project's kernels (default); onnx: the ONNX file, the default with " +
      "--with-onnxruntime",
  },
  decode: {
    value: "HOW",
    help: "How JPEGs are decoded: standard (default), exact (includes mozjpeg, 200 kB) or fast",
  },
  force: FORCE_OPTION,
};

const TARGETS = ["deno", "deno-deploy", "supabase", "npm"] as const;

/** A host of functions. */
type FunctionHost = Exclude<typeof TARGETS[number], "npm">;

/** The entry module of each function. */
const FUNCTIONS = { classify: "functions/classify/index.ts", embed: "functions/embed/index.ts" };

/** `deno task build`: bundles the functions for a host. */
export const build: Command<typeof options> = {
  name: "build",
  usage: "",
  description:
    "Bundles the functions classify and embed into one JavaScript file each, beside the\n" +
    "WebAssembly and the model. The bundles need no npm cache and no network.",
  options,
  examples: [
    ["", "dist/classify.js and dist/embed.js"],
    ["--model my.onnx --target supabase --out supabase", "Bundle a fitted model for Supabase"],
  ],
  async run(positional, values, terminal) {
    if (positional.length > 0) throw new UsageError(`unexpected argument ${positional[0]}`);
    const target = choiceOption("target", values.target, TARGETS);
    const out = values.out ?? "dist";
    if (target === "npm") return await buildPackage(out, values, terminal);
    const withOnnxruntime = values["with-onnxruntime"];
    const weights = choiceOption(
      "weights",
      values.weights ?? (withOnnxruntime ? "onnx" : undefined),
      ["packed", "onnx"],
    );
    if (withOnnxruntime && weights === "packed") {
      throw new UsageError("--with-onnxruntime requires --weights onnx");
    }
    const model = await modelOf(values.model, weights, withOnnxruntime);
    const settings = {
      withOnnxruntime,
      model: model.name,
      decode: choiceOption("decode", values.decode, DECODE_MODES),
      withWorkers: target !== "supabase",
      withConnections: target === "deno",
    };
    await using _esbuild = await startEsbuild();
    const files = new Map<string, Uint8Array>(); // keys are paths relative to `out`
    const encoder = new TextEncoder();
    for (const [name, entry] of Object.entries(FUNCTIONS)) {
      const folder = target === "supabase" ? join("functions", name) : "";
      const bundled: BundledFile[] = [
        ...await bundle(entry, target === "supabase" ? "index.js" : `${name}.js`, settings),
        model,
      ];
      for (const file of bundled) files.set(join(folder, file.name), file.bytes);
      if (target === "supabase") files.set(join(folder, "deno.json"), encoder.encode("{}\n"));
    }
    if (target === "supabase") files.set("config.toml", encoder.encode(supabaseConfig(model.name)));
    else files.set("deno.json", encoder.encode(denoConfig(target)));
    await writeBuild(out, files, values);
    list(out, files, terminal);
    terminal.stdout.write(nextStep(target, out));
    return 0;
  },
};

/** What `--target npm` has no use for. */
const OF_FUNCTIONS = ["model", "with-onnxruntime", "weights", "decode"] as const;

/** Writes the npm package. */
async function buildPackage(
  out: string,
  values: OptionValues<typeof options>,
  terminal: Terminal,
): Promise<number> {
  const unused = OF_FUNCTIONS.find((name) => values[name]);
  if (unused) throw new UsageError(`--${unused} is for functions; --target npm packs the library`);
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

/** Reads the model, checks that the bundle can run it and returns its file. */
async function modelOf(
  path: string | undefined,
  weights: "packed" | "onnx",
  anyTool: boolean,
): Promise<BundledFile> {
  if (path === undefined) {
    const { default: bytes } = await import("../../functions/_shared/model.onnx", {
      with: { type: "bytes" },
    });
    return await modelFile(bytes, weights, anyTool);
  }
  try {
    return await modelFile(await readWhole(path), weights, anyTool);
  } catch (error) {
    throw new Error(`${path}: ${errorMessage(readErrorMessage(error))}`);
  }
}

/** @throws {TypeError} if another tool made the ONNX file, and the bundle cannot run that. */
async function modelFile(
  bytes: Uint8Array,
  weights: "packed" | "onnx",
  anyTool: boolean,
): Promise<BundledFile> {
  if (anyTool) return { name: "model.onnx", bytes };
  const proto = readModel(bytes);
  // The bundle contains only the ONNX file, not its sidecar files.
  if (!isSelfContained(proto)) {
    throw new TypeError("Cannot use the ONNX model: another tool made it");
  }
  const file = toModelFile(bytes, proto);
  verifiedWeights(file);
  if (weights === "onnx") return { name: "model.onnx", bytes };
  return { name: "model.packed", bytes: concat(packModelFile(file, await sha256(bytes))) };
}

/** The instruction for running or deploying the bundle. */
function nextStep(target: FunctionHost, out: string): string {
  switch (target) {
    case "deno": {
      const args = commandLine([`--allow-read=${out}`, "--allow-env", join(out, "classify.js")]);
      return `Run it: deno run --allow-net ${args}\n`;
    }
    case "deno-deploy":
      return `Deploy the folder ${out}; its deno.json sets the entry point classify.js\n`;
    case "supabase":
      return `Deploy it: supabase functions deploy ${
        Object.keys(FUNCTIONS).join(" ")
      }, run from the ` +
        `folder that contains ${out} as supabase\n`;
  }
}

function denoConfig(target: "deno" | "deno-deploy"): string {
  const deploy = { runtime: { type: "dynamic", entrypoint: "classify.js" } };
  const config = {
    unstable: ["no-legacy-abort"],
    ...(target === "deno-deploy" ? { deploy } : {}),
  };
  return JSON.stringify(config, null, 2) + "\n";
}

function supabaseConfig(model: string): string {
  return Object.keys(FUNCTIONS).map((name) =>
    `[functions.${name}]
enabled = true
verify_jwt = true
entrypoint = "./functions/${name}/index.js"
static_files = ["./functions/${name}/*.wasm", "./functions/${name}/${model}"]
`
  ).join("\n");
}

if (import.meta.main) await main(build);
