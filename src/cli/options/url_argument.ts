import { isImageName } from "../../dataset/image_files.ts";
import { commandLine } from "../output/command_line.ts";

/**
 * Explains how to download a URL or an address of S3 that was given in place of a file.
 *
 * @param use a command that can read the download from a pipe, such as `deno task classify -`.
 * @returns undefined if the argument is neither.
 */
export function urlText(argument: string, use?: string): string | undefined {
  if (/^s3:\/\//i.test(argument)) {
    const files = isImageName(argument) ? [argument, "."] : ["--recursive", argument, "."];
    const copy = commandLine(["aws", "s3", "cp", ...files]);
    return `only \`deno task index\` reads from S3: download it with \`${copy}\``;
  }
  if (!/^https?:\/\//i.test(argument)) return undefined;
  const url = commandLine([argument]);
  return `URLs are not fetched: download it with \`curl -LO ${url}\`` +
    (use === undefined ? "" : `, or use \`curl -L ${url} | ${use}\``);
}
