import { parse } from "@std/yaml/parse";
import * as v from "valibot";
import { checkedJson } from "../../preprocess/checked_json.ts";
import { MODEL_NAMES } from "./model_names.ts";
import type { MsnConfig } from "./msn_settings.ts";

export type { MsnConfig } from "./msn_settings.ts";

/** Characters of a configuration: far more than any has. Merge keys take time by the square of it. */
const MAX_LENGTH = 16_000;
/** Longer names are truncated in messages. */
const MAX_QUOTED = 100;

/** Numbers as Python's `float` reads them; PyYAML takes `1e-6` for a string, so that it may be quoted. */
const NUMERIC = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
/** YAML 1.1 has more words for true and false than the YAML 1.2 of the parser. */
const TRUE = /^(yes|on)$/i;
const FALSE = /^(no|off)$/i;

/** Knobs of clusters and files, and knobs that the authors' code reads but never uses. */
const IGNORED = new Set([
  "data.pin_mem",
  "data.num_workers",
  "data.image_folder",
  "data.root_path",
  "logging.folder",
  "logging.write_tag",
  "meta.copy_data",
  "meta.load_checkpoint",
  "meta.read_checkpoint",
  "meta.use_fp16",
  "meta.bottleneck",
  "meta.two_layer",
  "meta.use_pred_head",
]);

/** What {@linkcode parseMsnConfig} reads. */
export interface ReadMsnConfig {
  /** The knobs that have an effect. */
  readonly config: MsnConfig;
  /** The names of knobs that are there without effect, as `data.num_workers`. */
  readonly ignored: readonly string[];
}

/** The knobs of each section with an effect; those that facebookresearch/msn lacks are marked. */
function knobs() {
  const size = numberIn(1, 2048, { isWhole: true });
  const width = numberIn(1, 16_384, { isWhole: true });
  const share = numberIn(0, 1);
  const belowOne = numberIn(0, 1, { isBelow: true });
  const sharpen = numberIn(0.01, 1);
  const weight = numberIn(0, 1000);
  const rate = numberIn(0, 1000);
  const decay = numberIn(0, 10);
  return {
    criterion: {
      temperature: numberIn(0.01, 10),
      start_sharpen: sharpen,
      final_sharpen: sharpen,
      me_max: truth(),
      memax_weight: weight,
      use_ent: truth(),
      ent_weight: weight,
      num_proto: numberIn(2, 65_536, { isWhole: true }),
      freeze_proto: truth(),
      use_sinkhorn: truth(),
      sinkhorn_iterations: numberIn(0, 100, { isWhole: true }), // ours
      batch_size: numberIn(2, 4096, { isWhole: true }),
    },
    data: {
      rand_size: size,
      focal_size: size,
      rand_views: numberIn(1, 16, { isWhole: true }),
      focal_views: numberIn(0, 64, { isWhole: true }),
      patch_drop: belowOne,
      color_jitter_strength: numberIn(0, 1.25),
      blur_radius: numberIn(0, 100), // ours
      solarize: share, // ours
      label_smoothing: belowOne,
    },
    meta: {
      model_name: v.exactOptional(v.picklist(
        MODEL_NAMES,
        `one of ${MODEL_NAMES.join(", ")}: convolutional stems are not supported`,
      )),
      hidden_dim: width,
      output_dim: width,
      use_bn: truth(),
      drop_path_rate: numberIn(0, 0.9),
    },
    optimization: {
      clip_grad: numberIn(0, 1e6),
      epochs: numberIn(1, 1e6, { isWhole: true }),
      warmup: numberIn(0, 1e6),
      start_lr: rate,
      lr: rate,
      final_lr: rate,
      weight_decay: decay,
      final_weight_decay: decay,
      start_momentum: share, // ours
      final_momentum: share, // ours
    },
  };
}

/**
 * Reads the YAML that facebookresearch/msn pre-trains with, as it is. All sections and knobs are optional.
 *
 * Five knobs are ours: `criterion.sinkhorn_iterations`, `data.blur_radius`, `data.solarize`, `optimization.start_momentum` and
 * `optimization.final_momentum`. An empty text, an empty section and a knob that is `null` leave the defaults.
 *
 * @throws {SyntaxError} if the text is too long or not YAML.
 * @throws {TypeError} if it is not a mapping of sections, has an unknown section or knob, or a value that
 * cannot be; the message names it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseMsnConfig } from "./msn_config.ts";
 *
 * const { config, ignored } = parseMsnConfig(`
 * criterion:
 *   temperature: 0.1
 * data:
 *   num_workers: 10
 *   focal_views: 4
 * `);
 * assertEquals(config, { criterion: { temperature: 0.1 }, data: { focal_views: 4 } });
 * assertEquals(ignored, ["data.num_workers"]);
 * ```
 */
export function parseMsnConfig(text: string): ReadMsnConfig {
  const sections = knobs();
  const known = new Map<string, readonly string[]>(
    Object.entries(sections).map(([name, schemas]) => [name, Object.keys(schemas)]),
  );
  const ignored: string[] = [];
  const given: Record<string, Record<string, unknown>> = {};
  for (const [section, values] of entries(yamlOf(text), "it")) {
    if (!known.has(section) && section !== "logging") {
      const names = [...known.keys(), "logging"].join(", ");
      fail(`unknown section ${quoted(section)}; the sections are ${names}`);
    }
    for (const [knob, value] of entries(values, section)) {
      const name = `${section}.${knob}`;
      if (IGNORED.has(name)) {
        ignored.push(name);
        continue;
      }
      const names = known.get(section) ?? [];
      if (!names.includes(knob)) {
        const inEffect = names.length === 0 ? "" : `; ${section} has ${names.join(", ")}`;
        fail(`unknown knob ${quoted(name)}${inEffect}`);
      }
      if (value === null) continue;
      // An alias can make a list endless, so that it is not quoted.
      if (typeof value === "object") fail(`${name} has several values, not one`);
      given[section] = { ...given[section], [knob]: value };
    }
  }
  const schema = v.object({
    criterion: v.exactOptional(v.object(sections.criterion)),
    data: v.exactOptional(v.object(sections.data)),
    meta: v.exactOptional(v.object(sections.meta)),
    optimization: v.exactOptional(v.object(sections.optimization)),
  });
  return { config: checkedJson(schema, given, "the configuration"), ignored };
}

function yamlOf(text: string): unknown {
  if (text.length > MAX_LENGTH) {
    throw new SyntaxError(
      `Cannot read the configuration: it has ${text.length} characters, more than ${MAX_LENGTH}`,
    );
  }
  try {
    return parse(text);
  } catch (cause) {
    const reason = cause instanceof RangeError
      ? "it is nested too deeply"
      : `it is not YAML: ${cause instanceof Error ? cause.message : cause}`;
    throw new SyntaxError(`Cannot read the configuration: ${reason}`, { cause });
  }
}

/** The members of a mapping; none if nothing is there. */
function entries(value: unknown, name: string): [string, unknown][] {
  if (value === null) return [];
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) {
    fail(`${name} is not a mapping of ${name === "it" ? "sections" : "knobs"}`);
  }
  return Object.entries(value);
}

function fail(reason: string): never {
  throw new TypeError(`Cannot read the configuration: ${reason}`);
}

function quoted(name: string): string {
  return name.length > MAX_QUOTED ? `${name.slice(0, MAX_QUOTED)}…` : name;
}

function numberIn(min: number, max: number, { isWhole = false, isBelow = false } = {}) {
  const kind = isWhole ? "a whole number" : "a number";
  const expected = isBelow
    ? `${kind} from ${min} to less than ${max}`
    : `${kind} from ${min} to ${max}`;
  return v.exactOptional(v.pipe(
    v.unknown(),
    v.transform((x) => typeof x === "string" && NUMERIC.test(x) ? Number(x) : x),
    v.number(expected),
    v.check((x) => x >= min && (isBelow ? x < max : x <= max), expected),
    v.check((x) => !isWhole || Number.isInteger(x), expected),
  ));
}

function truth() {
  return v.exactOptional(v.pipe(
    v.unknown(),
    v.transform((x) => typeof x !== "string" ? x : TRUE.test(x) || (FALSE.test(x) ? false : x)),
    v.boolean("true or false"),
  ));
}
