/**
 * All routes in a Cloudflare Worker.
 *
 * @module
 */

import { createHandler } from "../../src/http/handler.ts";
import { Problem, problemResponse } from "../../src/http/problem.ts";
import { ImageDecoder } from "../../src/image/image_decoder.ts";
import { clientOptions } from "../_shared/client_options.ts";
import { readSettings } from "../_shared/settings.ts";
import { WORKER_LIMITS } from "./limits.ts";
import { loadWorkerModel, type ModelBindings } from "./model_source.ts";

/** Bindings, variables and secrets of the Worker. */
type Environment = ModelBindings & Readonly<Record<string, unknown>>;

/** What a Worker may do besides answering. */
interface Context {
  waitUntil(work: Promise<unknown>): void;
}

type Handler = (request: Request) => Promise<Response>;

/** Of this isolate, made by its first request: a Worker has its environment only then. */
let handler: Handler | undefined;

function createWorkerHandler(env: Environment, context: Context): Handler {
  const get = (name: string) => {
    const value = env[name];
    return typeof value === "string" ? value : undefined;
  };
  const settings = readSettings({ get }, "file:///");
  return createHandler({
    ...clientOptions(settings),
    model: () => {
      const loading = loadWorkerModel(env, settings);
      context.waitUntil(loading.catch(() => {})); // other requests wait for it, too
      return loading;
    },
    decoder: new ImageDecoder({ workers: 0 }),
    limits: WORKER_LIMITS,
  });
}

export default {
  /** Answers a request; never rejects. */
  async fetch(request: Request, env: Environment, context: Context): Promise<Response> {
    try {
      handler ??= createWorkerHandler(env, context);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      return problemResponse(
        new Problem(500, "The settings of this Worker cannot be used"),
        "problem",
      );
    }
    const response = handler(request);
    // If the client goes, the work ends in order: others may wait for the decoder.
    context.waitUntil(response);
    return await response;
  },
};
