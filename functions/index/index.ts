/**
 * A function that keeps an index in Postgres up to date with Supabase's Storage: called by a trigger, it embeds what was
 * written and forgets what is gone; called by cron, it works on the index's queue.
 *
 * @module
 */

import { runServer } from "../../src/http/request/run_server.ts";
import { connectPostgres } from "../../src/search/postgres/connect.ts";
import { handlerOptions } from "../_shared/handler_options.ts";
import { readSettings } from "../_shared/settings.ts";
import { createIndexHandler } from "./index_handler.ts";
import { IndexService } from "./index_service.ts";
import { readIndexSettings } from "./index_settings.ts";
import { Storage } from "./storage.ts";

const settings = readSettings(Deno.env, import.meta.resolve("../_shared/"));
const { databaseUrl, schema, keys, ...storage } = readIndexSettings(Deno.env);
const log = (message: string) => console.log(message);
const { model, decoder } = handlerOptions(settings);
const service = new IndexService({
  name: settings.name,
  decode: settings.decode,
  model,
  decoder,
  // One is enough, but for heartbeats.
  connect: () => connectPostgres(databaseUrl, { connections: 2 }),
  schema,
  storage: new Storage(storage),
});
const handler = createIndexHandler({ service, keys, log });
Deno.exit(await runServer(handler, { ...settings, log }) ? 0 : 1);
