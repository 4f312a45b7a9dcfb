import { findImageFiles, type ImageFile } from "../../dataset/image_files.ts";
import { unreadText } from "../../dataset/unread_images.ts";
import { log } from "../output/log.ts";
import type { Terminal } from "../output/terminal.ts";
import { DENO_TASK } from "../program.ts";
import { urlText } from "./url_argument.ts";

/** Finds the images that a command's arguments name, and counts those in unsupported formats on stderr. */
export async function findArguments(
  args: readonly string[],
  name: string,
  terminal: Terminal,
): Promise<ImageFile[]> {
  const { program = DENO_TASK } = terminal;
  const warn = log(name, terminal);
  return await findImageFiles(args, {
    explainMissing: (path) => urlText(path, `${program} ${name} -`),
    onUnread: (unread) => warn(`left out: ${unreadText(unread)}`),
  });
}
