/** A model repository of the Hugging Face hub at one of its revisions. */
export interface HubName {
  /** `org/name`. */
  readonly repo: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

/**
 * Reads `org/name` or `org/name@revision`; the revision is `main` where none is given.
 *
 * @returns nothing if the text is no such name. A relative path of two parts looks the same: whether
 * it is one is the caller's to find out.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseHubName } from "./hub_name.ts";
 *
 * assertEquals(parseHubName("org/name@v1"), { repo: "org/name", revision: "v1" });
 * assertEquals(parseHubName("../name"), undefined);
 * ```
 */
export function parseHubName(text: string): HubName | undefined {
  if (!/^[\w.-]+\/[\w.-]+(@[\w./-]+)?$/.test(text)) return undefined;
  const [repo = "", revision = "main"] = text.split("@");
  // They become parts of an address and of a path, where these mean other folders.
  const parts = [...repo.split("/"), ...revision.split("/")];
  if (parts.some((part) => part === "" || part === "." || part === "..")) return undefined;
  return { repo, revision };
}
