/**
 * All routes, for `deno serve --parallel`: an instance a core, each with a model of its own.
 *
 * @module
 */

import { createHandler } from "../../src/http/handler.ts";
import { handlerOptions } from "../_shared/handler_options.ts";
import { readSettings } from "../_shared/settings.ts";

const settings = readSettings(Deno.env, import.meta.resolve("../_shared/"));

/** What `deno serve` looks for. */
const server: Deno.ServeDefaultExport = { fetch: createHandler(handlerOptions(settings)) };
export default server;
