/** The entry module of each function for hosts that run Deno. */
export const FUNCTIONS: Readonly<Record<string, string>> = {
  classify: "functions/classify/index.ts",
  embed: "functions/embed/index.ts",
};
