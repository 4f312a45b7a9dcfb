import { assertEquals, assertThrows } from "@std/assert";
import { parseMsnConfig } from "../../../src/train/msn/msn_config.ts";
import { decideMsnSettings } from "../../../src/train/msn/msn_settings.ts";

/** All knobs of facebookresearch/msn, with the values of its configs/pretrain/msn_vits16.yaml. */
const AUTHORS = `
criterion:
  ent_weight: 0.0
  final_sharpen: 0.25
  me_max: true
  memax_weight: 1.0
  num_proto: 1024
  start_sharpen: 0.25
  temperature: 0.1
  batch_size: 64
  use_ent: true
  use_sinkhorn: true
  freeze_proto: false
data:
  color_jitter_strength: 0.5
  pin_mem: true
  num_workers: 10
  image_folder: imagenet_full_size/061417/
  label_smoothing: 0.0
  patch_drop: 0.15
  rand_size: 224
  focal_size: 96
  rand_views: 1
  focal_views: 10
  root_path: /datasets01/
logging:
  folder: /checkpoint/msn_os_logs/
  write_tag: msn-experiment-1
meta:
  bottleneck: 1
  copy_data: false
  drop_path_rate: 0.0
  hidden_dim: 2048
  load_checkpoint: false
  model_name: deit_small
  output_dim: 256
  read_checkpoint: null
  use_bn: true
  use_fp16: false
  use_pred_head: false
  two_layer: false
optimization:
  clip_grad: 3.0
  epochs: 800
  final_lr: 1.0e-06
  final_weight_decay: 0.4
  lr: 0.001
  start_lr: 0.0002
  warmup: 15
  weight_decay: 0.04
`;

Deno.test("parseMsnConfig() reads the authors' configuration as it is", () => {
  const { config, ignored } = parseMsnConfig(AUTHORS);
  assertEquals(config, {
    criterion: {
      temperature: 0.1,
      start_sharpen: 0.25,
      final_sharpen: 0.25,
      me_max: true,
      memax_weight: 1,
      use_ent: true,
      ent_weight: 0,
      num_proto: 1024,
      freeze_proto: false,
      use_sinkhorn: true,
      batch_size: 64,
    },
    data: {
      rand_size: 224,
      focal_size: 96,
      rand_views: 1,
      focal_views: 10,
      patch_drop: 0.15,
      color_jitter_strength: 0.5,
      label_smoothing: 0,
    },
    meta: {
      model_name: "deit_small",
      hidden_dim: 2048,
      output_dim: 256,
      use_bn: true,
      drop_path_rate: 0,
    },
    optimization: {
      clip_grad: 3,
      epochs: 800,
      warmup: 15,
      start_lr: 2e-4,
      lr: 1e-3,
      final_lr: 1e-6,
      weight_decay: 0.04,
      final_weight_decay: 0.4,
    },
  });
  assertEquals(ignored, [
    "data.pin_mem",
    "data.num_workers",
    "data.image_folder",
    "data.root_path",
    "logging.folder",
    "logging.write_tag",
    "meta.bottleneck",
    "meta.copy_data",
    "meta.load_checkpoint",
    "meta.read_checkpoint",
    "meta.use_fp16",
    "meta.use_pred_head",
    "meta.two_layer",
  ]);
});

Deno.test("a configuration's knobs arrive in the settings, each under its name", () => {
  const { config } = parseMsnConfig(AUTHORS);
  const context = { imageSize: 224, patchSize: 16, hiddenSize: 384, isFromScratch: true };
  const settings = decideMsnSettings(config, { ...context, images: 1_281_167 });
  const { model_name: _, ...meta } = config.meta!;
  assertEquals(settings, {
    criterion: { ...config.criterion, sinkhorn_iterations: 3 },
    data: { ...config.data, blur_radius: 2, solarize: 0 },
    meta,
    optimization: { ...config.optimization, start_momentum: 0.996, final_momentum: 1 },
  });
});

Deno.test("parseMsnConfig() reads our own knobs", () => {
  const ours = {
    criterion: { sinkhorn_iterations: 0 },
    data: { blur_radius: 0.3, solarize: 0.2 },
    optimization: { start_momentum: 0.9, final_momentum: 0.95 },
  };
  // JSON is YAML.
  assertEquals(parseMsnConfig(JSON.stringify(ours)), { config: ours, ignored: [] });
});

Deno.test("parseMsnConfig() leaves the defaults where nothing is", () => {
  for (const text of ["", "null", "# nothing", "---\n", "logging:\n", "logging: {}", "{}"]) {
    assertEquals(parseMsnConfig(text), { config: {}, ignored: [] }, text);
  }
  const { config } = parseMsnConfig("criterion:\nmeta: {use_bn: null, hidden_dim: 5}");
  assertEquals(config, { meta: { hidden_dim: 5 } });
});

Deno.test("parseMsnConfig() reads numbers and truths as Python does", () => {
  const { config } = parseMsnConfig(`
optimization: {lr: 1e-3, start_lr: "2e-4", final_lr: '1.0e-06', weight_decay: ".04", epochs: "20"}
criterion: {me_max: yes, use_ent: off, use_sinkhorn: True, freeze_proto: No}
`);
  assertEquals(config.optimization, {
    lr: 1e-3,
    start_lr: 2e-4,
    final_lr: 1e-6,
    weight_decay: 0.04,
    epochs: 20,
  });
  assertEquals(config.criterion, {
    me_max: true,
    use_ent: false,
    use_sinkhorn: true,
    freeze_proto: false,
  });
});

Deno.test("parseMsnConfig() follows anchors and aliases", () => {
  const { config } = parseMsnConfig(`
criterion: {start_sharpen: &T 0.2, final_sharpen: *T}
data: {rand_size: 64}
`);
  assertEquals(config.criterion, { start_sharpen: 0.2, final_sharpen: 0.2 });
});

Deno.test("parseMsnConfig() takes the ends of each range and nothing beyond", () => {
  const integers: [string, number, number][] = [
    ["criterion.num_proto", 2, 65_536],
    ["criterion.batch_size", 2, 4096],
    ["criterion.sinkhorn_iterations", 0, 100],
    ["data.rand_size", 1, 2048],
    ["data.focal_size", 1, 2048],
    ["data.rand_views", 1, 16],
    ["data.focal_views", 0, 64],
    ["meta.hidden_dim", 1, 16_384],
    ["meta.output_dim", 1, 16_384],
    ["optimization.epochs", 1, 1_000_000],
  ];
  const numbers: [string, number, number][] = [
    ["criterion.temperature", 0.01, 10],
    ["criterion.start_sharpen", 0.01, 1],
    ["criterion.final_sharpen", 0.01, 1],
    ["criterion.memax_weight", 0, 1000],
    ["criterion.ent_weight", 0, 1000],
    ["data.color_jitter_strength", 0, 1.25],
    ["data.blur_radius", 0, 100],
    ["data.solarize", 0, 1],
    ["meta.drop_path_rate", 0, 0.9],
    ["optimization.clip_grad", 0, 1_000_000],
    ["optimization.warmup", 0, 1_000_000],
    ["optimization.start_lr", 0, 1000],
    ["optimization.lr", 0, 1000],
    ["optimization.final_lr", 0, 1000],
    ["optimization.weight_decay", 0, 10],
    ["optimization.final_weight_decay", 0, 10],
    ["optimization.start_momentum", 0, 1],
    ["optimization.final_momentum", 0, 1],
  ];
  const read = (name: string, value: number | string) => {
    const [section, knob] = name.split(".");
    return Object.values(
      parseMsnConfig(`${section}: {${knob}: ${value}}`).config[
        section as "criterion"
      ]!,
    );
  };
  const refuses = (name: string, value: number | string, expected: string) => {
    const quoted = typeof value === "number" ? value : "null";
    const message = `Cannot read the configuration: ${name} is ${quoted}, not ${expected}`;
    assertThrows(() => read(name, value), TypeError, message);
  };
  for (const [kind, ranges] of [["a whole number", integers], ["a number", numbers]] as const) {
    for (const [name, min, max] of ranges) {
      const expected = `${kind} from ${min} to ${max}`;
      assertEquals([read(name, min), read(name, max)], [[min], [max]], name);
      const step = kind === "a number" ? 0.001 : 1;
      for (const wrong of [min - step, max + step, ".nan", ".inf"]) refuses(name, wrong, expected);
      if (kind === "a whole number") refuses(name, min + 0.5, expected);
    }
  }
  for (const name of ["data.patch_drop", "data.label_smoothing"]) {
    assertEquals([read(name, 0), read(name, 0.999)], [[0], [0.999]]);
    for (const wrong of [-0.1, 1]) refuses(name, wrong, "a number from 0 to less than 1");
  }
});

Deno.test("parseMsnConfig() names the knob that cannot be", () => {
  const cases = [
    ["criterion: {temperature: hot}", 'criterion.temperature is "hot", not a number from 0.01'],
    ["criterion: {temperature: true}", "criterion.temperature is true, not a number"],
    ["criterion: {temperature: ''}", 'criterion.temperature is "", not a number'],
    ["criterion: {me_max: 1}", "criterion.me_max is 1, not true or false"],
    ["criterion: {me_max: maybe}", 'criterion.me_max is "maybe", not true or false'],
    ["criterion: {temprature: 1}", "unknown knob criterion.temprature; criterion has temperature,"],
    ["data: {batch_size: 1}", "unknown knob data.batch_size; data has rand_size, focal_size,"],
    ["meta: {constructor: 1}", "unknown knob meta.constructor"],
    ["{data: {__proto__: {rand_size: 1}}}", "unknown knob data.__proto__"],
    ["logging: {level: 1}", "unknown knob logging.level"],
    [
      "criterium: {temperature: 1}",
      "unknown section criterium; the sections are criterion, data, meta, optimization, logging",
    ],
    [`${"x".repeat(1000)}: 1`, `unknown section ${"x".repeat(100)}…;`],
    ["data: {rand_size: [1, 2]}", "data.rand_size has several values, not one"],
    ["data: {rand_size: &a [*a]}", "data.rand_size has several values, not one"],
    ["data: 3", "data is not a mapping of knobs"],
    ["data: [1]", "data is not a mapping of knobs"],
    ["- data", "it is not a mapping of sections"],
    ["data", "it is not a mapping of sections"],
    ["2001-01-01", "it is not a mapping of sections"],
  ] as const;
  for (const [text, message] of cases) {
    const read = () => parseMsnConfig(text);
    assertThrows(read, TypeError, `Cannot read the configuration: ${message}`, text);
  }
});

Deno.test("parseMsnConfig() knows the models without convolutional stems", () => {
  const { config } = parseMsnConfig("meta: {model_name: deit_huge_p10}");
  assertEquals(config, { meta: { model_name: "deit_huge_p10" } });
  for (const name of ["vitc_4gf", "deit_small_convstem", "resnet50", "toString"]) {
    const read = () => parseMsnConfig(`meta: {model_name: ${name}}`);
    const error = assertThrows(read, TypeError, `meta.model_name is "${name}", not one of deit_`);
    assertEquals(error.message.endsWith("convolutional stems are not supported"), true);
  }
});

Deno.test("parseMsnConfig() refuses what is not YAML", () => {
  for (const text of ["data: [1", "a: 1\na: 2", "---\na: 1\n---\nb: 2", "data: !foo 1"]) {
    const message = "Cannot read the configuration: it is not YAML: ";
    assertThrows(() => parseMsnConfig(text), SyntaxError, message, text);
  }
  const deep = `data: ${"[".repeat(15_900)}`;
  assertThrows(() => parseMsnConfig(deep), SyntaxError, "it is nested too deeply");
});

Deno.test("parseMsnConfig() reads up to 16,000 characters", () => {
  const longest = "#".padEnd(16_000);
  assertEquals(parseMsnConfig(longest).config, {});
  const message = "it has 16001 characters, more than 16000";
  assertThrows(() => parseMsnConfig(`${longest} `), SyntaxError, message);
});
