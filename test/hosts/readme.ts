import { assert, assertStringIncludes } from "@std/assert";
import { command } from "./support/command.ts";
import { node, tool, TOOLS } from "./support/tools.ts";
import { bundleWorker } from "./workerd.ts";

/** A photo of a ship under the names that the examples use. */
const PHOTOS: Readonly<Record<string, string>> = {
  "photo.jpg": "ship.jpg",
  "dog.jpg": "dog.jpg",
  "frog.jpg": "bird.jpg",
  "ship.jpg": "automobile.jpg",
  "truck.jpg": "truck.jpg",
};

/** The READMEs' code runs as it stands. */
export async function readme(
  t: Deno.TestContext,
  folder: string,
  images: string,
  hasChromium: boolean,
): Promise<void> {
  for (const [name, image] of Object.entries(PHOTOS)) {
    await Deno.copyFile(`${images}/${image}`, `${folder}/${name}`);
  }
  await Deno.mkdir(`${folder}/test`);
  await Deno.symlink(images, `${folder}/test/images`);

  const text = await Deno.readTextFile("src/build/npm/README.md");
  const blocks = codeOf(text, "js ignore");
  const worker = blocks.find((code) => code.includes("export default"))!;
  const programs = [
    ...blocks.filter((code) => code !== worker),
    ...codeOf(await Deno.readTextFile("README.md"), "js"),
  ];
  assert(programs.length >= 4);

  await t.step("READMEs: Node.js, Bun, Deno", async () => {
    for (const [i, code] of programs.entries()) {
      const file = `readme_${i}.mjs`;
      await Deno.writeTextFile(`${folder}/${file}`, code);
      const deno = ["run", "--node-modules-dir=manual", "--allow-read", file];
      const answers = [
        await command("node", [file], { cwd: folder }),
        await tool("bun", [file], folder),
        await command("deno", deno, { cwd: folder, env: { NO_COLOR: "1" } }),
      ];
      const label = /fitHead/.test(code) ? "vehicle" : /ship|photo/.test(code) ? "ship" : "label:";
      for (const answer of answers) assertStringIncludes(answer, label);
    }
  });

  await t.step("README: workerd", async () => {
    await Deno.writeTextFile(`${folder}/index.js`, worker);
    await Deno.copyFile("functions/_shared/model.onnx", `${folder}/model.onnx`);
    const out = await bundleWorker(folder);
    const args = [TOOLS, out, images, `${images}/ship.jpg`];
    assertStringIncludes(await node("in_workerd", args, folder), '"ship"');
  });

  await t.step({
    name: "README: a page without a bundler",
    ignore: !hasChromium,
    async fn() {
      const site = `${folder}/site`;
      await Deno.mkdir(site);
      const [html] = codeOf(text, "html");
      await Deno.writeTextFile(`${site}/index.html`, `<link rel="icon" href="data:,">\n${html}`);
      await Deno.symlink(`${folder}/node_modules/@vit-msn/edge`, `${site}/edge`);
      const args = [TOOLS, "chromium", `${site}+choose=${folder}/photo.jpg`];
      assertStringIncludes(await node("in_chromium", args, folder), "ship");
    },
  });
}

/** The code blocks of a language in Markdown. */
function codeOf(markdown: string, language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm");
  return [...markdown.matchAll(pattern)].map(([, code]) => code!);
}
