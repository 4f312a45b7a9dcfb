/**
 * Formats arguments for a POSIX shell, quoting those with special characters.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { commandLine } from "./command_line.ts";
 *
 * assertEquals(commandLine(["my photos", "--out", "it's.onnx"]), `'my photos' --out 'it'\\''s.onnx'`);
 * ```
 */
export function commandLine(args: readonly string[]): string {
  return args.map((arg) => /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`)
    .join(" ");
}
