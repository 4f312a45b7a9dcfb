import { createHandler, type HandlerOptions } from "../../src/http/handler.ts";
import { runServer } from "../../src/http/request/run_server.ts";
import { handlerOptions } from "./handler_options.ts";
import { readSettings } from "./settings.ts";

/**
 * Serves a function until its host ends it, then finishes the requests in progress.
 *
 * @param base where the function's files are.
 * @param routes the groups of routes that it has.
 */
export async function serveFunction(
  base: string,
  routes: NonNullable<HandlerOptions["routes"]>,
): Promise<never> {
  const settings = readSettings(Deno.env, base);
  const handler = createHandler({ ...handlerOptions(settings), routes });
  const log = (message: string) => console.log(message);
  const inTime = await runServer(handler, { ...settings, log });
  Deno.exit(inTime ? 0 : 1);
}
