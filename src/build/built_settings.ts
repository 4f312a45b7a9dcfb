import { DECODE_MODES, type DecodeMode } from "../image/decode_options.ts";

/** What a build decides of a function's settings. */
export interface BuiltSettings {
  /** The name of the model's file beside the bundle. */
  readonly model: string;
  /** How JPEGs are decoded by default; with `exact`, mozjpeg is included. */
  readonly decode: DecodeMode;
}

/** How a function names the model beside it. */
const MODEL = `"./model.onnx"`;

/** How a function names the modes of decoding. */
const MODES = `"${DECODE_MODES}"`;

/** What {@linkcode withBuiltSettings} finds in the modules of a function. */
export const BUILT_SETTINGS: readonly string[] = [MODEL, MODES];

/**
 * Writes a build's settings into a module.
 *
 * @param found is called with each of {@linkcode BUILT_SETTINGS} that is in it.
 */
export function withBuiltSettings(
  text: string,
  { model, decode }: BuiltSettings,
  found: (setting: string) => void,
): string {
  const modes = DECODE_MODES.filter((mode) => mode !== "exact" || decode === "exact")
    .toSorted((a, b) => Number(b === decode) - Number(a === decode));
  for (const [from, to] of [[MODEL, `"./${model}"`], [MODES, `"${modes}"`]] as const) {
    if (text.includes(from)) found(from);
    text = text.replaceAll(from, to);
  }
  return text;
}
