/** A model repository on the Hugging Face hub, at a revision. */
export interface HubName {
  /** `org/name`. */
  readonly repo: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

/**
 * Parses `org/name` or `org/name@revision`; the default revision is `main`.
 *
 * @returns `undefined` if the text is not such a name. A relative path with two parts has the same
 * form; the caller must tell them apart.
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
  // They become segments of a URL and of a path, where `.` and `..` would lead to other folders.
  const parts = [...repo.split("/"), ...revision.split("/")];
  if (parts.some((part) => part === "" || part === "." || part === "..")) return undefined;
  return { repo, revision };
}

/** A repository and its revision, as a user writes them. */
export function hubNameText({ repo, revision }: HubName): string {
  return `${repo}@${revision}`;
}
