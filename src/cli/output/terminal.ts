import { DENO_TASK } from "../program.ts";
import { processSystem, type System } from "../options/system.ts";

/** A text output of a command. */
export interface Output {
  write(text: string): void;
  /** Whether it is an interactive terminal. */
  readonly isTerminal: boolean;
  /** Whether to use colours: it is a terminal, and NO_COLOR is not set. */
  readonly color: boolean;
  /** The width in characters. */
  readonly columns: number;
}

/** A command's streams and system, injected so that tests can replace them. */
export interface Terminal {
  /** What the user typed before the command's name; default `deno task`. */
  readonly program?: string;
  /** The whole command line, quoted for a shell. */
  readonly invocation?: string;
  readonly stdin: ReadableStream<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly system: System;
}

/** The assumed width of an output that reports none. */
const DEFAULT_COLUMNS = 80;

/** The process's own standard streams and system. */
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
      // A terminal of unknown size reports 0.
      return (isTerminal && Deno.consoleSize().columns) || DEFAULT_COLUMNS;
    },
    write(text) {
      let bytes = encoder.encode(text);
      while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    },
  };
}
