// An index by the package's `./search`, in a new file of the folder it runs in. Prints the paths that it finds, or
// the error of a host without SQLite.

import { EmbeddedIndex } from "@vit-msn/edge/search";

const model = { sha256: "00", name: "", pool: "cls", decode: "standard", dimension: 2 };
const images = [
  { path: "a.jpg", size: 1, sha256: "aa", vector: Float32Array.of(1, 0) },
  { path: "b.jpg", size: 1, sha256: "bb", vector: Float32Array.of(3, 4) },
];

async function find(): Promise<string> {
  const path = `${crypto.randomUUID()}.sqlite`;
  const index = await EmbeddedIndex.create(path, model);
  const writer = await index.write();
  await writer.put("photos", images);
  await writer.complete("photos");
  await writer.finish();
  await index[Symbol.asyncDispose]();
  const again = await EmbeddedIndex.open(path);
  const [neighbours] = await again.search([Float32Array.of(0, 1)], { k: 2 });
  await again[Symbol.asyncDispose]();
  return neighbours!.map(({ path }) => path).join(" ");
}

console.log(await find().catch((error: Error) => error.message));
