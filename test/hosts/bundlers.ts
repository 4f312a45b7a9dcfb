import { assertEquals } from "@std/assert";
import { command } from "./support/command.ts";
import { bundle, lower, TOOLS } from "./support/tools.ts";

/** A page is bundled by webpack and by esbuild, without errors and warnings. */
export async function bundlers(t: Deno.TestContext, folder: string): Promise<void> {
  await lower("page", folder);

  await t.step("webpack", async () => {
    await Deno.writeTextFile(
      `${folder}/webpack.mjs`,
      `import { createRequire } from "node:module";
const webpack = createRequire(${JSON.stringify(`${TOOLS}/package.json`)})("webpack");
webpack({
  mode: "production",
  context: ${JSON.stringify(folder)},
  entry: "./page.mjs",
  output: { path: ${JSON.stringify(`${folder}/webpack`)} },
  performance: false,
}, (error, stats) => {
  if (error) throw error;
  console.log(stats.toString({ all: false, errors: true, warnings: true }).trim());
});
`,
    );
    assertEquals((await command("node", ["webpack.mjs"], { cwd: folder })).trim(), "");
    // The page, its chunks, its workers, the model.
    const names = [...Deno.readDirSync(`${folder}/webpack`)].map(({ name }) => name);
    assertEquals(names.filter((name) => name.endsWith(".onnx")).length, 1);
  });

  await t.step("esbuild", async () => {
    await bundle("page.mjs", ["--splitting", "--minify", `--outdir=${folder}/esbuild`], folder);
  });
}
