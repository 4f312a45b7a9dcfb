import type { Classification } from "../mod.ts";
import type { ExplainMessages } from "./explain/explain_messages.ts";

/** What the worker is asked for, what it answers, and what it says meanwhile. */
export interface Message<Request, Reply, Progress = never> {
  readonly request: Request;
  readonly reply: Reply;
  readonly progress: Progress;
}

/** Messages by their kinds. Another part of the page adds its own by one more interface here. */
export interface Messages extends ModelMessages, ExplainMessages {}

/** The messages of the model itself. */
export interface ModelMessages {
  /** Makes a model ready, in place of the one before, which stays if this fails. */
  load: Message<LoadRequest, ModelSummary, LoadProgress>;
  /** Names what is on a photo. */
  classify: Message<ClassifyRequest, ClassifyReply>;
}

/** Where a model comes from. */
export type LoadRequest =
  /** A file of the page itself. */
  | { readonly url: string; readonly name: string }
  /** A file that the visitor chose. */
  | { readonly bytes: Uint8Array; readonly name: string }
  /** A repository on the Hugging Face hub. */
  | { readonly hub: string };

/** How far a download is, in bytes. */
export interface LoadProgress {
  readonly received: number;
  /** 0 if it is not known. */
  readonly total: number;
}

/** What the page shows of a model. */
export interface ModelSummary {
  readonly name: string;
  /** None, if the model is a backbone without a classifier. */
  readonly labels: readonly string[];
  /** Whether it can answer `unknown`. */
  readonly tellsUnknown: boolean;
  readonly layers: number;
  readonly heads: number;
  /** Of the embedding. */
  readonly dimensions: number;
  /** Height and width of what the model sees, in pixels. */
  readonly imageSize: readonly [number, number];
  /** Rows and columns of patches. */
  readonly grid: readonly [number, number];
  readonly engine: Engine;
  /** How long the download or the reading of the file took, and then the start of the engine. */
  readonly milliseconds: { readonly download: number; readonly start: number };
}

/** What computes. */
export interface Engine {
  readonly kernels: "relaxed" | "plain";
  readonly threads: number;
}

/** A photo, and how to look at it. */
export interface ClassifyRequest {
  readonly image: Blob;
  /** The share of patches that are kept; default all. */
  readonly keepPatches?: number;
  /** Of the random choice of patches. */
  readonly seed?: number;
}

/** What is on a photo, and how long each step took. */
export interface ClassifyReply {
  /** All labels, best first; none, if the model has no classifier. */
  readonly labels: readonly Classification[];
  readonly milliseconds: Steps;
  /** The photo's size in pixels. */
  readonly width: number;
  readonly height: number;
}

/** Milliseconds of the steps from a file to labels. */
export interface Steps {
  readonly decode: number;
  readonly preprocess: number;
  readonly forward: number;
}

/** A request on its way to the worker. */
export interface Envelope {
  readonly id: number;
  readonly kind: keyof Messages;
  readonly request: unknown;
}

/** What the worker says. `ready` comes first: what is sent before may be lost. */
export type Answer =
  | { readonly ready: true }
  | { readonly id: number; readonly reply: unknown }
  | { readonly id: number; readonly progress: unknown }
  | { readonly id: number; readonly error: string };
