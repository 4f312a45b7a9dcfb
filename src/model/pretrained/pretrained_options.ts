import type { DownloadProgress } from "../../hub/hub_options.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { WeightDataType } from "../../vit_msn/quantize.ts";

/** How `fromPretrained` gets a model, and what it makes of it. */
export interface PretrainedOptions {
  /** A branch, a tag or a commit of a repository on the hub; default `main`. */
  readonly revision?: string;
  /**
   * What a checkpoint is converted to, and which ONNX file is taken if there are several; default `f32`.
   * Not for a single ONNX file, whose weights have a type already.
   */
  readonly dtype?: WeightDataType;
  /** An access token for private and gated models; it is never sent to where a server redirects to. */
  readonly token?: string;
  /**
   * In Node.js, Deno and Bun the folder that keeps models of the hub; default is the one of the command
   * line. In browsers and Workers the name of a `Cache` for all that is fetched; default `vit-msn-edge`.
   * `false`: nothing is kept.
   */
  readonly cache?: string | false;
  /** Called as the bytes of a file arrive. */
  readonly progress?: (progress: DownloadProgress) => void;
  /** The hub's address; default `https://huggingface.co`. */
  readonly endpoint?: string;
  /** What fetches files; default is the global `fetch`. */
  readonly fetch?: (url: URL, init: RequestInit) => Promise<Response>;
  /** Ends the download; it fails with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The engine; the default is that of `loadModel`. */
  readonly runtime?: Runtime;
}
