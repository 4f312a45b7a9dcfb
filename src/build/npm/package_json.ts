import { fileOf, NAME, SOURCES, VERSION } from "./exports.ts";

/** The oldest Node.js that has `process.getBuiltinModule`. */
const NODE = ">=20.16";
/** The versions of the optional peer that this project runs on. */
const ONNXRUNTIME_WEB = "^1.30.0";

/** The text of the package's `package.json`. */
export function packageJson(): string {
  const exports = Object.fromEntries([...SOURCES].map(([name, source]) => {
    const file = `${fileOf(name)}.js`;
    return [name, {
      types: `./types/${source.replace(/\.ts$/, ".d.ts")}`,
      // Cloudflare compiles WebAssembly before the program runs, and has no workers.
      ...(name.endsWith("-worker") ? {} : { workerd: `./workerd/${file}` }),
      browser: `./${file}`,
      default: `./${file}`,
    }];
  }));
  return JSON.stringify(
    {
      name: NAME,
      version: VERSION,
      description:
        "ViT-MSN image classification, embeddings and few-shot training in WebAssembly: no Python, no GPU, " +
        "no native addon",
      license: "Apache-2.0",
      keywords: ["vit", "msn", "image-classification", "embeddings", "few-shot", "wasm", "edge"],
      type: "module",
      engines: { node: NODE },
      exports: {
        ...exports,
        "./model.onnx": "./model.onnx",
        "./package.json": "./package.json",
      },
      // What the workers' modules do when they are imported.
      sideEffects: [...SOURCES.keys()].filter((name) => name.endsWith("-worker"))
        .map((name) => `./${fileOf(name)}.js`),
      peerDependencies: { "onnxruntime-web": ONNXRUNTIME_WEB },
      peerDependenciesMeta: { "onnxruntime-web": { optional: true } },
    },
    null,
    2,
  ) + "\n";
}
