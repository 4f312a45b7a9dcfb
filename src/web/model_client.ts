/// <reference lib="dom" />
import type {
  AttentionsReply,
  AttentionsRequest,
  OverlayReply,
  OverlayRequest,
} from "./explain/explain_messages.ts";
import type {
  Answer,
  ClassifyReply,
  ClassifyRequest,
  Envelope,
  LoadProgress,
  LoadRequest,
  Messages,
  ModelSummary,
} from "./messages.ts";
import { scriptUrl } from "./script_url.ts";

/** How a request is sent. */
export interface RequestOptions<Progress> {
  /** Hears how far the work is. */
  readonly onProgress?: (progress: Progress) => void;
  /** Buffers that move to the worker: they cannot be used here any more. */
  readonly transfer?: Transferable[];
}

interface Pending {
  resolve(reply: unknown): void;
  reject(error: Error): void;
  progress(value: unknown): void;
}

/**
 * The page's side of the model worker. The worker does one thing after the other, in the order of the calls.
 */
export class ModelClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #ready: Promise<void>;
  #lastId = 0;

  /** Starts the worker. */
  constructor() {
    this.#worker = new Worker(scriptUrl(new URL("./model_worker.ts", import.meta.url)), {
      type: "module",
    });
    this.#ready = new Promise((resolve) => {
      this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if ("ready" in data) resolve();
        else this.#take(data);
      };
    });
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`Cannot run the model: its worker failed: ${event.message ?? "it did not load"}`);
    };
  }

  /** Makes a model ready, in place of the one before, which stays if this fails. */
  load(
    request: LoadRequest,
    onProgress?: (progress: LoadProgress) => void,
  ): Promise<ModelSummary> {
    return this.request("load", request, onProgress ? { onProgress } : {});
  }

  /** Names what is on a photo. */
  classify(request: ClassifyRequest): Promise<ClassifyReply> {
    return this.request("classify", request);
  }

  /** Computes what the model looks at on a photo. */
  attentions(request: AttentionsRequest): Promise<AttentionsReply> {
    return this.request("attentions", request);
  }

  /** Draws one of these maps on the photo that was last asked for. */
  overlay(request: OverlayRequest): Promise<OverlayReply> {
    return this.request("overlay", request);
  }

  /**
   * Sends a request of any kind.
   *
   * @throws {Error} with the worker's message if it cannot do it.
   */
  async request<Kind extends keyof Messages>(
    kind: Kind,
    request: Messages[Kind]["request"],
    { onProgress, transfer = [] }: RequestOptions<Messages[Kind]["progress"]> = {},
  ): Promise<Messages[Kind]["reply"]> {
    const id = ++this.#lastId;
    return await new Promise((resolve, reject) => {
      this.#pending.set(id, {
        resolve: resolve as Pending["resolve"],
        reject,
        progress: (onProgress ?? (() => {})) as Pending["progress"],
      });
      this.#ready.then(() =>
        this.#worker.postMessage({ id, kind, request } satisfies Envelope, transfer)
      ).catch((error) => {
        this.#pending.delete(id);
        reject(error);
      });
    });
  }

  #take(answer: Exclude<Answer, { ready: true }>): void {
    const pending = this.#pending.get(answer.id);
    if (!pending) return;
    if ("progress" in answer) return pending.progress(answer.progress);
    this.#pending.delete(answer.id);
    if ("error" in answer) pending.reject(new Error(answer.error));
    else pending.resolve(answer.reply);
  }

  #fail(message: string): void {
    for (const { reject } of this.#pending.values()) reject(new Error(message));
    this.#pending.clear();
  }
}
