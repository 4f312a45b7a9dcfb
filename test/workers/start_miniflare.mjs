// Runs Workers under workerd until its input ends: node start_miniflare.mjs FOLDER_OF_PACKAGES OPTIONS
// It prints one line of JSON: the URL, and the process of workerd.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, text] = process.argv.slice(2);
const { Log, LogLevel, Miniflare } = createRequire(join(packages, "index.js"))("miniflare");
const { objects = {}, ...options } = JSON.parse(text);
const miniflare = new Miniflare({ cf: false, log: new Log(LogLevel.ERROR), ...options });
const url = await miniflare.ready;
for (const [key, path] of Object.entries(objects)) {
  await (await miniflare.getR2Bucket("MODEL_BUCKET")).put(
    key,
    new Uint8Array(readFileSync(path)).buffer,
  );
}
const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ");
const workerd = children.find((pid) =>
  readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("workerd")
);
console.log(JSON.stringify({ url: url.href, workerd: Number(workerd) }));
process.stdin.on("data", () => {}).on("end", async () => {
  await miniflare.dispose();
  process.exit(0);
});
