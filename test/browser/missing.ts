import { hasProgram } from "../hosts/support/command.ts";
import { installTools } from "../hosts/support/tools.ts";

/** In CI, what is missing is a failure. */
const MUST_RUN = Deno.env.get("CI") !== undefined;

/**
 * Why the page cannot be tried on this machine.
 *
 * @throws {Error} in CI, if it cannot.
 */
export async function missing(): Promise<string | undefined> {
  const reason = await lacks();
  if (MUST_RUN && reason) throw new Error(`Cannot run test/browser: ${reason}`);
  return reason;
}

async function lacks(): Promise<string | undefined> {
  for (const program of ["node", "npm", "chromium"]) {
    if (!await hasProgram(program)) return `${program} is not installed`;
  }
  try {
    await installTools();
  } catch (error) {
    if (MUST_RUN) throw error;
    return "npm cannot install test/hosts/tools";
  }
}
