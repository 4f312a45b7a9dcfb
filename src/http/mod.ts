/**
 * The service as a function: {@linkcode createHandler} gives one from Request to Response, which every
 * host of such functions can serve: Deno, Bun, Node.js by an adapter, Cloudflare Workers.
 *
 * @module
 */

export { ImageDecoder, type ImageDecoderOptions } from "../image/image_decoder.ts";
export { createHandler, type HandlerOptions, type RequestLogEntry } from "./handler.ts";
export { DEFAULT_SERVER_LIMITS, type ServerLimits } from "./limits.ts";
export { type RemoteImageOptions } from "./request/remote_image.ts";
export { type RouteGroup } from "./route_group.ts";
export { type ServedModel } from "./served_model.ts";
