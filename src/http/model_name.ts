import { Problem } from "./problem.ts";
import { shorten } from "./request/validate.ts";

/**
 * Holds the name that a client gives against the model's.
 *
 * @throws {Problem} 404 if it is another one.
 */
export function assertModelName(given: string | undefined, own: string): void {
  if (given === own) return;
  throw new Problem(404, `There is no model "${shorten(given ?? "")}" here; there is "${own}"`);
}
