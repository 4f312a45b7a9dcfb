/**
 * A function that names what is on images.
 *
 * @module
 */

import { createHandler } from "../../src/http/handler.ts";
import { handlerOptions } from "../_shared/handler_options.ts";
import { readSettings } from "../_shared/settings.ts";

const settings = readSettings(Deno.env, import.meta.resolve("../_shared/"));
const handler = createHandler({ ...handlerOptions(settings), routes: ["classify"] });

Deno.serve({ hostname: settings.hostname, port: settings.port }, handler);
