import type { Messages } from "../messages.ts";
import { classify } from "./classify.ts";
import { load } from "./load.ts";
import type { LoadedModel } from "./loaded_model.ts";

/** What a handler works with, besides the request. */
export interface Context<Progress> {
  readonly model: LoadedModel;
  /** Tells the page how far the work is. */
  progress(value: Progress): void;
}

/** Does what a kind of message asks for. What it throws, the page gets as the error's message. */
export type Handler<Kind extends keyof Messages> = (
  request: Messages[Kind]["request"],
  context: Context<Messages[Kind]["progress"]>,
) => Promise<Messages[Kind]["reply"]>;

/** Loads what the first label does not need, when it is first asked for. */
const explain = once(async () =>
  new (await import("../explain/explain_handlers.ts")).ExplainHandlers()
);

/** The handlers by kinds. */
export const HANDLERS: { readonly [Kind in keyof Messages]: Handler<Kind> } = {
  load,
  classify,
  attentions: async (...given) => (await explain()).attentions(...given),
  overlay: async (request) => await (await explain()).overlay(request),
};

/** A function that makes a thing once, and tries again if that failed. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: T | undefined;
  return async () => made ??= await make();
}
