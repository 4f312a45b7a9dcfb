import { assertEquals, assertRejects } from "@std/assert";
import { goldenPath } from "../golden/golden.ts";
import { InputError } from "./support/arguments.ts";
import { parseCpuInfo } from "./support/host/processor.ts";
import { modelOfFile } from "./support/model_of_file.ts";

Deno.test("the processor's name and VNNI come from /proc/cpuinfo", () => {
  const text = (flags: string) =>
    `processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nflags\t\t: ${flags}\n`;
  const processor = "AMD EPYC, family 25, model 17";
  assertEquals(parseCpuInfo(text("fpu avx2")), { processor, vnni: "none" });
  assertEquals(parseCpuInfo(text("fpu avx512_vnni")), { processor, vnni: "avx512_vnni" });
  assertEquals(parseCpuInfo(text("avx_vnni avx512_vnni")).vnni, "avx_vnni, avx512_vnni");
  assertEquals(parseCpuInfo(""), { processor: "unknown", vnni: "unknown" });
});

Deno.test("a model file says who can run it, and in which precision", async () => {
  const embedded = await modelOfFile("functions/_shared/model.onnx");
  assertEquals([embedded.isOwn, embedded.dtypes], [true, ["int8"]]);
  assertEquals(embedded.pixelsOf(2).shape, [2, 3, ...embedded.config.imageSize]);
});

Deno.test("a file that cannot be measured is an error that names it", async () => {
  const wrong = goldenPath("tiny/model.safetensors");
  await assertRejects(() => modelOfFile(wrong), InputError, wrong);
  await assertRejects(() => modelOfFile("missing.onnx"), InputError, "missing.onnx");
  const alone = goldenPath("exports/model.onnx");
  await assertRejects(() => modelOfFile(alone), InputError, "preprocessor_config.json");
});
