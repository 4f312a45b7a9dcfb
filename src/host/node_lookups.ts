import { nodeBuiltin } from "./node_builtin.ts";

/**
 * Looks up the addresses of a host's name in Node.js and Bun: those of IPv4 and of IPv6.
 *
 * @throws {Error} if this host has no resolver, such as a browser.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nodeLookups } from "./node_lookups.ts";
 *
 * const lookups = await Promise.allSettled(nodeLookups("localhost."));
 * assertEquals(lookups.length, 2);
 * ```
 */
export function nodeLookups(host: string): Promise<string[]>[] {
  const dns = nodeBuiltin("node:dns/promises");
  if (!dns) throw new Error(`Cannot look up ${host}: this host has no resolver`);
  return [dns.resolve4(host), dns.resolve6(host)];
}
