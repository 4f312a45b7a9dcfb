/** The progress of one file's download. */
export interface DownloadProgress {
  /** Its name in the repository. */
  readonly file: string;
  /** Bytes received, including those kept from an earlier attempt. */
  readonly received: number;
  /** The file's size in bytes, if the hub states it. */
  readonly total: number | undefined;
}

/** Options of `downloadModel`. */
export interface HubOptions {
  /** Default: the global `fetch`. */
  readonly fetch?: (url: URL, init: RequestInit) => Promise<Response>;
  /** The hub's address; default {@linkcode HUB}. */
  readonly endpoint?: string | undefined;
  /** An access token for private and gated models. It is sent only to the endpoint. */
  readonly token?: string | undefined;
  /** The folder in which downloaded files are kept; default: what `cacheFolder` of this module returns. */
  readonly cacheFolder?: string;
  /** Whether to use only the cache; default `false`. */
  readonly offline?: boolean;
  /** Called as the bytes of a file arrive. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Ends the download; it fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** What a user sets to a token, for messages; default `HF_TOKEN`. */
  readonly tokenName?: string;
  /** Resolves after this many milliseconds; default: a timer. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** Returns the time in milliseconds since 1970; default: `Date.now`. */
  readonly now?: () => number;
  /** A request is retried if the server sends nothing for this many milliseconds; default 60,000. */
  readonly silence?: number;
}

/** The default hub. */
export const HUB = "https://huggingface.co";
