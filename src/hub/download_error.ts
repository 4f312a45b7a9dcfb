/**
 * A failed download, with instructions for the next attempt.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { DownloadError } from "./download_error.ts";
 * import { downloadModel } from "./hub.ts";
 *
 * const name = { repo: "org/private", revision: "main" };
 * const fetch = () => Promise.resolve(new Response(null, { status: 401 })); // in place of the hub
 * await assertRejects(
 *   () => downloadModel(name, { cacheFolder: "test/example-private", fetch }),
 *   DownloadError,
 *   "HF_TOKEN is not set to a token that may read it",
 * );
 * await Deno.remove("test/example-private", { recursive: true });
 * ```
 */
export class DownloadError extends Error {
  /** The class's name. */
  override name = "DownloadError";
  /** Whether another attempt may succeed. */
  readonly retry: boolean;
  /** The delay that the server requested before the next attempt, in milliseconds, if any. */
  readonly after: number | undefined;
  /** Whether the bytes received so far must be discarded. */
  readonly discard: boolean;

  /** The message names what failed; the rest is about the next attempt. */
  constructor(
    message: string,
    { retry = false, after, discard = false }: {
      retry?: boolean;
      after?: number | undefined;
      discard?: boolean;
    } = {},
  ) {
    super(message);
    this.retry = retry;
    this.after = after;
    this.discard = discard;
  }
}
