// The job in a page, which leaves the answers, or the error, in a global variable.

/// <reference lib="dom" />
import { EMBEDDED_MODEL } from "@vit-msn/edge/model";
import { run } from "./job.ts";

const rejections: string[] = [];
addEventListener("unhandledrejection", ({ reason }) => rejections.push(String(reason)));

async function bytesOf(url: string | URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`Cannot fetch ${url}: status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function answer(): Promise<unknown> {
  try {
    const answers = await run({
      read: (name) => bytesOf(`/images/${name}`),
      model: await bytesOf(EMBEDDED_MODEL),
      workers: true,
    });
    // A rejection is told after the promise's own turn.
    await new Promise((resolve) => setTimeout(resolve));
    return { answers, rejections, isolated: crossOriginIsolated };
  } catch (error) {
    return { error: error instanceof Error ? error.stack : String(error) };
  }
}

Object.assign(globalThis, { result: answer() });
