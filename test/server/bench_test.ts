import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { documentsOf } from "../bench/support/models.ts";
import { goldenPath } from "../golden/golden.ts";
import { readCheckpoint } from "../../src/hub/read_checkpoint.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import { writeModelFile } from "../../src/vit_msn/model_file.ts";
import { toWeights } from "../../src/vit_msn/weights.ts";

const bench = (...args: string[]) => task("bench", ...args);

async function task(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: ["task", "--quiet", ...args],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("bench measures a model file on the engines for its precision", async () => {
  const { config, tensors } = await readCheckpoint(goldenPath("tiny"));
  const { preprocessorConfig } = documentsOf("small");
  const folder = await Deno.makeTempDir({ dir: "test" });
  try {
    const path = `${folder}/tiny.onnx`;
    const weights = toWeights(tensors, parseConfig(config));
    await Deno.writeFile(path, concat(writeModelFile(config, preprocessorConfig, weights, "int8")));
    const { code, stdout, stderr } = await bench("--model", path, "--quick", "--json");
    assertEquals(code, 0, stderr);
    const rows: Record<string, unknown>[] = JSON.parse(stdout);
    for (const row of rows) {
      assertEquals([row.model, row.dtype], [path, "int8"]);
      for (const key of ["threads", "batch", "median_ms", "images_per_s", "create_ms"]) {
        assert(row[key] as number > 0, key);
      }
      assert(row.peak_rss_mb === null || row.peak_rss_mb as number > 0);
      for (const key of ["backend", "processor", "vnni", "kernel"]) {
        assertEquals(typeof row[key], "string", key);
      }
    }
    assert(rows.some(({ backend }) => backend === "onnxruntime-web"));
    assert(rows.some(({ backend }) => backend === "simd plain"));
    assertEquals(new Set(rows.map(({ batch }) => batch)), new Set([1, 8]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("bench measures files of other tools on onnxruntime-web", async () => {
  const folder = await Deno.makeTempDir({ dir: "test" });
  try {
    await Deno.copyFile(goldenPath("exports/config.json"), `${folder}/config.json`);
    const { preprocessorConfig } = documentsOf("small");
    await Deno.writeTextFile(
      `${folder}/preprocessor_config.json`,
      JSON.stringify(preprocessorConfig),
    );
    for (const [name, dtype] of [["model", "f32"], ["model_fp16", "f16"], ["model_qdq", "int8"]]) {
      const path = `${folder}/${name}.onnx`;
      await Deno.copyFile(goldenPath(`exports/${name}.onnx`), path);
      const { code, stdout, stderr } = await bench("--model", path, "--quick", "--json");
      assertEquals(code, 0, stderr);
      const rows: Record<string, unknown>[] = JSON.parse(stdout);
      assertEquals(
        rows.map((row) => [row.backend, row.dtype, row.batch]),
        [1, 8].map((batch) => ["onnxruntime-web", dtype, batch]),
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("bench explains a wrong model in one line", async () => {
  for (const [model, exitCode] of [["large", 2], ["missing.onnx", 1]] as const) {
    const { code, stderr } = await bench("--model", model);
    assertEquals(code, exitCode);
    assertStringIncludes(stderr, model);
    assertEquals(stderr.trim().split("\n").length, 1);
  }
});

Deno.test("bench:train explains a wrong model in one line", async () => {
  const { code, stdout, stderr } = await task("bench:train", "--model", "base");
  assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(stderr, "bench:train: --model is base, not one of embedded, small\n");
});
