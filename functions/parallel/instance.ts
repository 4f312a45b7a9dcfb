// An instance of the service in a worker. It serves until the main thread stops it.

import { createHandler } from "../../src/http/handler.ts";
import { runServer } from "../../src/http/request/run_server.ts";
import { handlerOptions } from "../_shared/handler_options.ts";
import { readSettings } from "../_shared/settings.ts";

/** A worker's global scope, as far as it is used here. */
interface WorkerScope {
  onmessage: () => void;
  postMessage(inTime: boolean): void;
}

const scope = globalThis as unknown as WorkerScope;
const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
scope.onmessage = () => stop();

const settings = readSettings(Deno.env, import.meta.resolve("../_shared/"));
const handler = createHandler(handlerOptions(settings));
const log = (message: string) => console.log(message);
scope.postMessage(await runServer(handler, { ...settings, reusePort: true, stopped, log }));
