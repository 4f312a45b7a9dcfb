/** What users type before a command's name, in a checkout of this project. */
export const DENO_TASK = "deno task";
