import type { Handler } from "../handlers.ts";
import { modelHash } from "./model_hash.ts";

/** Tells which model is loaded. */
export const identify: Handler<"identify"> = (_, { model }) => modelHash(model);
