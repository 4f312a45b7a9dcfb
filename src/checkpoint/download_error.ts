/** Why a download failed, and what that means for the next try. */
export class DownloadError extends Error {
  override name = "DownloadError";
  /** Whether another try may do better. */
  readonly retry: boolean;
  /** How long the server wants to be left alone, in milliseconds; nothing if it does not say. */
  readonly after: number | undefined;
  /** Whether the bytes that came so far are of no use. */
  readonly discard: boolean;

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
