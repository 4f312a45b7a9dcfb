/**
 * Whether the host is a browser's page or worker: what it fetches is subject to the browser's rules, and it
 * can decode and draw images. Deno, Node.js, Bun and Cloudflare Workers are servers, and so is a host that
 * is not recognised.
 *
 * @param scope the global scope, or another one for tests.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { isBrowser } from "./is_browser.ts";
 *
 * assert(!isBrowser());
 * assert(isBrowser({ document: {}, navigator: { userAgent: "Mozilla/5.0" } }));
 * ```
 */
export function isBrowser(scope: object = globalThis): boolean {
  const { process } = scope as { process?: { versions?: { node?: string } } };
  const { userAgent } = (scope as typeof globalThis).navigator ?? {};
  // Bundlers give pages a `process`, but without versions.
  const isServer = "Deno" in scope || process?.versions?.node !== undefined ||
    userAgent === "Cloudflare-Workers";
  return !isServer && ("document" in scope || "WorkerGlobalScope" in scope);
}
