import type { HandlerOptions, RequestLogEntry } from "../../src/http/handler.ts";
import type { Settings } from "./settings.ts";

/** What clients see of a function on any host, and its log. */
export function clientOptions(
  { decode, name, apiKeys, allowOrigins }: Settings,
): Omit<HandlerOptions, "model" | "decoder"> {
  return {
    decode,
    name,
    apiKeys,
    allowOrigins,
    log: (entry: RequestLogEntry) => console.log(JSON.stringify(entry)),
  };
}
