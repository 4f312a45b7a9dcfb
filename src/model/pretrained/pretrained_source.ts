import { fromFileUrl } from "@std/path";
import { hasFileSystem } from "../../hub/file_system.ts";
import { findHubName } from "../../hub/find_hub_name.ts";
import { type HubName, parseHubName } from "../../hub/hub_name.ts";

/** What `fromPretrained` is asked for: a repository of the hub, an address, or a path. */
export type PretrainedSource =
  | { readonly hub: HubName }
  | { readonly url: URL }
  | { readonly path: string };

/**
 * Tells what a source is. A string that names a file or folder on this machine is a path, even if it could
 * name a repository.
 *
 * @param revision of a repository; default is that in the source, or `main`.
 * @throws {TypeError} if it can be none, or has a revision and is no repository, or two revisions.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseSource } from "./pretrained_source.ts";
 *
 * assertEquals(await parseSource("org/name", "v1"), { hub: { repo: "org/name", revision: "v1" } });
 * assertEquals(await parseSource("test/golden"), { path: "test/golden" });
 * ```
 */
export async function parseSource(
  source: string | URL,
  revision?: string,
): Promise<PretrainedSource> {
  const parsed = await parse(source);
  if (revision === undefined) return parsed;
  if (!("hub" in parsed)) {
    throw new TypeError(
      `Cannot use revision: it is ${revision}, but ${source} is not a repository of the hub`,
    );
  }
  const { repo } = parsed.hub;
  if (source === repo) {
    const name = parseHubName(`${repo}@${revision}`);
    if (name) return { hub: name };
    throw new TypeError(`Cannot use revision: ${revision} is not a branch, tag or commit`);
  }
  if (parsed.hub.revision === revision) return parsed;
  throw new TypeError(`Cannot use revision: it is ${revision}, but the source is ${source}`);
}

async function parse(source: string | URL): Promise<PretrainedSource> {
  if (source instanceof URL || /^(https?|file):/.test(source)) {
    const url = new URL(source);
    if (url.protocol === "file:") return { path: fromFileUrl(url) };
    if (/^https?:$/.test(url.protocol)) return { url };
    throw new TypeError(
      `Cannot load the model ${url}: its protocol is ${url.protocol}; use https: or file:`,
    );
  }
  const hub = await findHubName(source);
  if (hub) return { hub };
  if (hasFileSystem()) return { path: source };
  throw new TypeError(
    `Cannot load the model ${source}: it is neither org/name nor a URL, and this host has no files`,
  );
}
