import { commandLine } from "../output/command_line.ts";

/**
 * Says how to fetch what an argument is the address of.
 *
 * @param use what to do with it through a pipe, such as `deno task classify -`; default is nothing.
 * @returns nothing if it is no address on the web.
 */
export function urlText(argument: string, use?: string): string | undefined {
  if (!/^https?:\/\//i.test(argument)) return undefined;
  const url = commandLine([argument]);
  return `it is on the web, and nothing is fetched from there: download it with \`curl -LO ${url}\`` +
    (use === undefined ? "" : `, or use \`curl -L ${url} | ${use}\``);
}
