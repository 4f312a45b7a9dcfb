// A service under load, over loopback, in a process of its own, side by side with the bare runtime:
// deno task bench:service [--seconds 60] [--decode standard,exact] [--files FOLDER [--posts 6000]]

import { decodeImage, loadModel, simdRuntime } from "../../src/mod.ts";
import { DECODE_MODES } from "../../src/image/decode_options.ts";
import { ArgumentError, readArguments, runBench } from "./support/arguments.ts";
import { photoOf } from "./support/photo.ts";
import { HealthWatch, ServerProcess } from "../server/server_process.ts";

const CONNECTIONS = 16;
/** Pixels of a side: those of CIFAR-10, on which the embedded model was trained, and of a web page's. */
const SIDES = [32, 480];
const bytes = await Deno.readFile("functions/_shared/model.onnx");

await runBench("bench:service", async () => {
  const { values } = readArguments(Deno.args, ["seconds", "decode", "files", "posts"]);
  const seconds = Number(values.seconds.at(-1) ?? "60");
  if (!(seconds > 0)) throw new ArgumentError(`--seconds is ${values.seconds}, not above 0`);
  const posts = Number(values.posts.at(-1) ?? "6000");
  if (!(posts > 0)) throw new ArgumentError(`--posts is ${values.posts}, not above 0`);
  const modes = values.decode.length > 0 ? values.decode : DECODE_MODES.slice(0, 1);
  const wrong = modes.find((mode) => !DECODE_MODES.some((known) => known === mode));
  if (wrong) throw new ArgumentError(`--decode is ${wrong}, not one of ${DECODE_MODES.join(", ")}`);
  console.log(
    `${CONNECTIONS} connections for ${seconds} s, each with one image at a time; the embedded ` +
      "model. Bare: the runtime alone, in a process without a service, a tenth of the time.\n\n" +
      "| image | decode | threads | images/s | bare | ratio | p50 ms | p99 ms | health, longest ms | " +
      "statuses | RSS MB before, after |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
  );
  for (const side of SIDES) {
    const photo = await photoOf(side, side);
    for (const threads of [1, 2]) {
      for (const decode of modes) {
        console.log(await row(side, photo, threads, decode, 1000 * seconds));
      }
    }
  }
  for (const folder of values.files) await soak(folder, posts);
});

/** A row of the table. */
async function row(
  side: number,
  photo: Uint8Array<ArrayBuffer>,
  threads: number,
  decode: string,
  milliseconds: number,
): Promise<string> {
  const bare = await bareRate(photo, threads, milliseconds / 10);
  await using server = await ServerProcess.start({
    serve: ["--threads", String(threads), "--decode", decode],
  });
  await postAll(server, Array(CONNECTIONS).fill(photo)); // warm
  const before = server.memory("now").toFixed(0);
  const { statuses, times, longestHealth, elapsed } = await load(server, photo, milliseconds);
  const rate = 1000 * (statuses.get(200) ?? 0) / elapsed;
  const percentile = (p: number) => times[Math.floor(p * (times.length - 1))]!.toFixed(1);
  const cells = [
    `${side} × ${side}`,
    decode,
    threads,
    rate.toFixed(0),
    bare.toFixed(0),
    (rate / bare).toFixed(2),
    percentile(0.5),
    percentile(0.99),
    longestHealth.toFixed(0),
    textOf(statuses),
    `${before}, ${server.memory("now").toFixed(0)}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Images/s of the runtime alone: from `pixel_values` to labels. */
async function bareRate(
  photo: Uint8Array<ArrayBuffer>,
  threads: number,
  milliseconds: number,
): Promise<number> {
  await using model = await loadModel(bytes, { runtime: simdRuntime({ threads }) });
  const images = Array(4 * threads).fill(await decodeImage(photo));
  const pixelValues = model.processor.preprocess(images);
  const outputs = ["logits"] as const;
  await model.forward({ pixel_values: pixelValues }, { outputs });
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < milliseconds) {
    await model.forward({ pixel_values: pixelValues }, { outputs });
    count += images.length;
  }
  return 1000 * count / (performance.now() - start);
}

/** Posts a photo over and over, on all connections, and asks for health meanwhile. */
async function load(server: ServerProcess, photo: Uint8Array<ArrayBuffer>, milliseconds: number) {
  const statuses = new Map<number, number>();
  const times: number[] = [];
  const start = performance.now();
  const end = start + milliseconds;
  const health = new HealthWatch(server);
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    while (performance.now() < end) {
      const begin = performance.now();
      const { status } = await server.post("/classify?top_k=1", photo);
      times.push(performance.now() - begin);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  }));
  const elapsed = performance.now() - start;
  return {
    statuses,
    times: times.toSorted((a, b) => a - b),
    longestHealth: await health.end(),
    elapsed,
  };
}

/** Posts every file of a folder, whatever it is, at least `count` in all; four at a time. */
async function soak(folder: string, count: number): Promise<void> {
  const bodies: Uint8Array<ArrayBuffer>[] = [];
  await collect(folder, bodies);
  await using server = await ServerProcess.start();
  console.log(`\n${bodies.length} files of the folder, posted over and over, four at a time:`);
  for (let posts = 0; posts < count;) {
    const before = server.memory("now").toFixed(0);
    const health = new HealthWatch(server);
    const statuses = await postAll(server, bodies, 4);
    posts += bodies.length;
    console.log(
      `${posts} requests: ${textOf(statuses)}; RSS ${before} MB before, ` +
        `${server.memory("now").toFixed(0)} MB after; health within ${
          (await health.end()).toFixed(0)
        } ms`,
    );
  }
}

async function collect(folder: string, bodies: Uint8Array<ArrayBuffer>[]): Promise<void> {
  for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
    if (isFile) bodies.push(await Deno.readFile(`${folder}/${name}`));
    else if (isDirectory) await collect(`${folder}/${name}`, bodies);
  }
}

async function postAll(
  server: ServerProcess,
  bodies: readonly Uint8Array<ArrayBuffer>[],
  connections = bodies.length,
): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  const queue = [...bodies];
  await Promise.all(Array.from({ length: connections }, async () => {
    for (let body = queue.pop(); body; body = queue.pop()) {
      const { status } = await server.post("/classify", body);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  }));
  return statuses;
}

function textOf(statuses: ReadonlyMap<number, number>): string {
  return [...statuses].toSorted(([a], [b]) => a - b).map(([status, n]) => `${n} × ${status}`)
    .join(", ");
}
