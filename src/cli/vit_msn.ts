import type { Command } from "./command.ts";
import { errorMessage, runCommand, UsageError } from "./command.ts";
import { nearest } from "./options/nearest.ts";
import { processTerminal, type Terminal } from "./output/terminal.ts";
import { VERSION } from "./version.ts";

/** The installed program's name. */
const PROGRAM = "vit-msn";

/** A command, whose module is loaded only when it is called. */
interface Entry {
  readonly summary: string;
  readonly load: () => Promise<unknown>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  classify: {
    summary: "Prints the labels of images",
    load: async () => (await import("./classify.ts")).classify,
  },
  embed: {
    summary: "Computes the embeddings of images",
    load: async () => (await import("./embed.ts")).embed,
  },
  attention: {
    summary: "Shows where the model looks on a photo",
    load: async () => (await import("./attention.ts")).attention,
  },
  fit: {
    summary: "Fits a classifier on a few photos a class",
    load: async () => (await import("./fit.ts")).fit,
  },
  finetune: {
    summary: "Trains a backbone on labelled photos",
    load: async () => (await import("./finetune.ts")).finetune,
  },
  pretrain: {
    summary: "Trains a backbone on photos without labels",
    load: async () => (await import("./pretrain.ts")).pretrain,
  },
  evaluate: {
    summary: "Measures the accuracy and calibration of a classifier",
    load: async () => (await import("./evaluate.ts")).evaluate,
  },
  index: {
    summary: "Keeps an index of images up to date",
    load: async () => (await import("./index.ts")).index,
  },
  worker: {
    summary: "Embeds what was enqueued for an index on Postgres",
    load: async () => (await import("./worker.ts")).worker,
  },
  search: {
    summary: "Finds the indexed images most similar to photos",
    load: async () => (await import("./search.ts")).search,
  },
  dedupe: {
    summary: "Finds near-duplicates in an index",
    load: async () => (await import("./dedupe.ts")).dedupe,
  },
  serve: {
    summary: "Runs the HTTP service",
    load: async () => (await import("./serve.ts")).serve,
  },
  build: {
    summary: "Bundles functions for a host",
    load: async () => (await import("./build.ts")).build,
  },
  convert: {
    summary: "Converts a checkpoint to one ONNX file",
    load: async () => (await import("./convert.ts")).convert,
  },
  export: {
    summary: "Writes a model as Hugging Face's files",
    load: async () => (await import("./export.ts")).exportModel,
  },
  preprocess: {
    summary: "Writes an image's pixel_values",
    load: async () => (await import("./preprocess.ts")).preprocess,
  },
  forward: {
    summary: "Runs tensors through the model",
    load: async () => (await import("./forward.ts")).forward,
  },
  backward: {
    summary: "Trains a model on tensors",
    load: async () => (await import("./backward.ts")).backward,
  },
};

/**
 * The installable command line: `vit-msn COMMAND …` does what `deno task COMMAND …` does, in any folder.
 *
 * @param args the command's name, followed by its arguments.
 * @param terminalOf makes the terminal for a command.
 * @returns the exit code: 0 success, 1 failure, 2 invalid usage.
 */
export async function vitMsn(
  args: readonly string[],
  terminalOf: (command: string) => Terminal,
): Promise<number> {
  const [name, ...rest] = args;
  const terminal = { ...terminalOf(name ?? ""), program: PROGRAM };
  if (name === "--help" || name === "-h") {
    terminal.stdout.write(helpText());
    return 0;
  }
  if (name === "--version") {
    terminal.stdout.write(`${VERSION}\n`);
    return 0;
  }
  try {
    const command = await commandOf(name).load() as Command;
    return await runCommand(command, rest, terminal);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    const hint = isUsage ? `; see \`${PROGRAM} --help\`` : "";
    terminal.stderr.write(`${PROGRAM}: ${errorMessage(error)}${hint}\n`);
    return isUsage ? 2 : 1;
  }
}

/** @throws {UsageError} if there is no such command. */
function commandOf(name: string | undefined): Entry {
  if (name === undefined) throw new UsageError("no command given");
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name]!;
  const near = nearest(name, Object.keys(COMMANDS));
  const kind = name.startsWith("-") ? "option" : "command";
  throw new UsageError(`unknown ${kind} ${name}${near ? `; did you mean ${near}?` : ""}`);
}

function helpText(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  return [
    "Image classification and embeddings with a ViT-MSN vision transformer.",
    "",
    `Usage: ${PROGRAM} COMMAND [arguments] [options]`,
    "",
    "Commands:",
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "Options:",
    "  --help     Show this text, or a command's help after its name",
    "  --version  Show the version",
    "",
    "Examples:",
    `  ${PROGRAM} classify photo.jpg`,
    `  ${PROGRAM} fit photos --out my.onnx`,
    `  ${PROGRAM} fit --help`,
    "",
  ].join("\n");
}

if (import.meta.main) {
  Deno.exit(await vitMsn(Deno.args, (command) => processTerminal(command, PROGRAM)));
}
