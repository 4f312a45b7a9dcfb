import type { HubName } from "./hub_name.ts";

/** The address of a repository's file on a hub. */
export function fileAddress(endpoint: string, { repo, revision }: HubName, file: string): string {
  // A branch name may contain slashes, but must be one segment of the URL's path.
  return `${endpoint.replace(/\/+$/, "")}/${repo}/resolve/${encodeURIComponent(revision)}/${file}`;
}
