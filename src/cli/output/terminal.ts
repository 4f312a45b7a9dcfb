import { DENO_TASK } from "../program.ts";
import { processSystem, type System } from "../options/system.ts";

/** Where a command writes text. */
export interface Output {
  write(text: string): void;
  /** Whether a person looks at it. */
  readonly isTerminal: boolean;
  /** Whether to colour it: a terminal, and NO_COLOR is not set. */
  readonly color: boolean;
  /** Its width in characters. */
  readonly columns: number;
}

/** A command's way to the outside. */
export interface Terminal {
  /** What the user typed before the command's name; default `deno task`. */
  readonly program?: string;
  /** The whole command line, as one types it. */
  readonly invocation?: string;
  readonly stdin: ReadableStream<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly system: System;
}

/** The width to assume of an output that has none. */
const DEFAULT_COLUMNS = 80;

/** The process's own standard streams and system, for a command that was called so. */
export function processTerminal(command: string, program: string = DENO_TASK): Terminal {
  return {
    program,
    stdin: Deno.stdin.readable,
    stdout: outputOf(Deno.stdout),
    stderr: outputOf(Deno.stderr),
    system: processSystem(command, program),
  };
}

function outputOf(stream: typeof Deno.stdout): Output {
  const isTerminal = stream.isTerminal();
  const encoder = new TextEncoder();
  return {
    isTerminal,
    color: isTerminal && !Deno.noColor,
    get columns() {
      // A terminal that does not know its size says 0.
      return (isTerminal && Deno.consoleSize().columns) || DEFAULT_COLUMNS;
    },
    write(text) {
      let bytes = encoder.encode(text);
      while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    },
  };
}
