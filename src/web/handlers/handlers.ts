import type { Messages } from "../messages.ts";
import { classify } from "./classify.ts";
import { load } from "./load.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { TEACH_HANDLERS } from "./teach/teach_handlers.ts";

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

/**
 * The handlers by kinds. What the first label does not need is imported when it is first asked for:
 * `fit: async (…given) => (await import("./fit.ts")).fit(…given)`.
 */
export const HANDLERS: { readonly [Kind in keyof Messages]: Handler<Kind> } = {
  load,
  classify,
  ...TEACH_HANDLERS,
};
