/**
 * Whether a client would rather have JSON than a picture: `application/json` has a higher quality in its
 * `Accept` (RFC 9110, 12.5.1) than `image/png`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { prefersJson } from "./prefers_json.ts";
 *
 * assertEquals(prefersJson("application/json, text/plain;q=0.5"), true);
 * assertEquals(prefersJson("*" + "/*"), false);
 * ```
 */
export function prefersJson(accept: string | null): boolean {
  const ranges = (accept ?? "").toLowerCase().split(",").map(rangeOf);
  // The most specific range that fits a type decides.
  const qualityOf = (type: string): number => {
    const names = [type, type.replace(/\/.*/, "/*"), "*/*"];
    const name = names.find((name) => ranges.some((range) => range.name === name));
    return ranges.find((range) => range.name === name)?.quality ?? 0;
  };
  return qualityOf("application/json") > qualityOf("image/png");
}

function rangeOf(text: string): { name: string; quality: number } {
  const [name = "", ...settings] = text.split(";").map((part) => part.trim());
  const quality = settings.find((setting) => setting.startsWith("q="));
  return { name, quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 };
}
