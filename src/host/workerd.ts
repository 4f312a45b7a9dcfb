/**
 * Whether this is Cloudflare's workerd. It has 128 MB for everything, collects no garbage on demand, and what
 * one request has begun, such as a timer, ends with that request.
 */
export const IS_WORKERD: boolean = globalThis.navigator?.userAgent === "Cloudflare-Workers";
