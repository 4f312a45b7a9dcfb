// What transformers.js makes of images, for a test that holds this project's pipelines against it:
//
//     node transformers_js.mjs MODEL IMAGE…
//
// MODEL is a folder with config.json, preprocessor_config.json and onnx/model.onnx. The package
// @huggingface/transformers is that of the current folder. Prints one JSON object.

import { createRequire } from "node:module";
import { basename, dirname, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const require = createRequire(resolve("package.json"));
const { env, pipeline } = await import(
  pathToFileURL(require.resolve("@huggingface/transformers"))
);
const [folder, ...images] = process.argv.slice(2).map((path) => resolve(path));
Object.assign(env, {
  allowRemoteModels: false,
  localModelPath: dirname(folder),
  useFSCache: false,
});
// The name of the file is model.onnx for fp32, whatever is in it.
const options = { dtype: "fp32", device: "cpu" };
const classify = await pipeline("image-classification", basename(folder), options);
const extract = await pipeline("image-feature-extraction", basename(folder), options);

const tensor = ({ type, dims, data, size }) => ({ type, dims, size, data: Array.from(data) });
const message = (error) => error.message;
console.log(JSON.stringify({
  one: await classify(images[0]),
  two: await classify(images[0], { top_k: 2 }),
  // null is for all, and so is a number above the number of labels.
  all: await classify(images, { top_k: null }),
  many: await classify(images, { top_k: 1000 }),
  none: await classify(images[0], { top_k: 0 }).catch(message),
  tokens: tensor(await extract(images)),
  nested: (await extract(images[0])).tolist().map((rows) => rows.map((row) => row.length)),
  pooled: await extract(images[0], { pool: true }).then(tensor, message),
}));
await classify.dispose();
await extract.dispose();
