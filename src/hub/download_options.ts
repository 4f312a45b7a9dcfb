import { delay } from "@std/async/delay";
import type { DownloadOptions } from "./download_file.ts";
import { HUB, type HubOptions } from "./hub_options.ts";

/** JSON files are read into memory, so their size is limited. 1000 labels take about 0.1 MB. */
export const MAX_JSON_BYTES = 10_000_000;

/** The options of one file's download, with all defaults. */
export function toDownloadOptions(options: HubOptions, file: string): DownloadOptions {
  const { onProgress, signal } = options;
  return {
    fetch: options.fetch ?? fetch,
    endpoint: options.endpoint ?? HUB,
    token: options.token,
    now: options.now ?? Date.now,
    sleep: options.sleep ?? ((milliseconds) => delay(milliseconds, signal ? { signal } : {})),
    silence: options.silence ?? 60_000,
    signal,
    onProgress: onProgress && ((received, total) => onProgress({ file, received, total })),
    ...(options.tokenName === undefined ? {} : { tokenName: options.tokenName }),
    ...(file.endsWith(".json") ? { maxBytes: MAX_JSON_BYTES } : {}),
  };
}
