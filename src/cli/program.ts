/** What users type before a command's name in a checkout of this repository. */
export const DENO_TASK = "deno task";
