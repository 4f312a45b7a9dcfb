// The job in a process: Node.js, Bun and Deno. Files are read as Buffers, as most programs do.
// Arguments: the folder of the images.

import { readFile } from "node:fs/promises";
import process from "node:process";
import { EMBEDDED_MODEL } from "@vit-msn/edge/model";
import { run } from "./job.ts";

const folder = process.argv[2]!;
const answers = await run({
  read: (name) => readFile(`${folder}/${name}`),
  model: await readFile(EMBEDDED_MODEL),
  workers: true,
});
console.log(JSON.stringify(answers));
