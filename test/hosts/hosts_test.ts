// Proves that the npm package works on every host as it is published: it is packed once, installed into empty
// projects, and run there. `deno task test:hosts`; needs npm's registry, or its cache.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { bundlers } from "./bundlers.ts";
import { readme } from "./readme.ts";
import { sizes } from "./sizes.ts";
import { transformers } from "./transformers.ts";
import { types } from "./types.ts";
import { chromiumPages, type PageResult } from "./chromium.ts";
import type { Answers } from "./programs/job.ts";
import { assertSame } from "./support/assert_same.ts";
import { command, hasProgram } from "./support/command.ts";
import { writeImages } from "./support/images.ts";
import { installPackage, packPackage } from "./support/packed.ts";
import { installTools, lower, node, tool, TOOLS } from "./support/tools.ts";
import { workerdFolder } from "./workerd.ts";

type Job = Record<"usual" | "plain", Answers>;

/** In CI, what is missing is a failure. */
const MUST_RUN = Deno.env.get("CI") !== undefined;

/** Why the package cannot be tried on this machine. */
async function missing(): Promise<string | undefined> {
  for (const program of ["node", "npm"]) {
    if (!await hasProgram(program)) return `${program} is not installed`;
  }
  try {
    await installTools();
  } catch (error) {
    if (MUST_RUN) throw error;
    return "npm cannot install test/hosts/tools";
  }
}

const reason = await missing();
const hasChromium = await hasProgram("chromium");
if (MUST_RUN && (reason || !hasChromium)) {
  throw new Error(`Cannot run test/hosts: ${reason ?? "chromium is not installed"}`);
}

Deno.test({
  name: `the packed package${reason ? ` (skipped: ${reason})` : ""}`,
  ignore: reason !== undefined,
  async fn(t) {
    const folder = await Deno.makeTempDir();
    try {
      const images = `${folder}/images`;
      await writeImages(images);
      const tarball = await packPackage(folder);
      const project = async (name: string) => {
        await installPackage(tarball, `${folder}/${name}`);
        return `${folder}/${name}`;
      };

      // This project's own modules.
      const permissions = ["--lock", "--frozen", "--allow-read"];
      const program = "test/hosts/programs/process.ts";
      const expected: Job = JSON.parse(
        await command("deno", ["run", ...permissions, program, images]),
      );

      // The embedded model is int8: hosts without relaxed SIMD give the same bits.
      assertSame(expected.plain, expected.usual);

      await t.step("Node.js", async () => {
        const cwd = await project("node");
        const answers: Job = JSON.parse(await node("process", [images], cwd));
        assertSame(answers, expected);
      });

      await t.step("Bun", async () => {
        const cwd = `${folder}/bun`;
        await Deno.mkdir(cwd);
        await tool("bun", ["add", tarball], cwd);
        await lower("process", cwd);
        const answers: Job = JSON.parse(await tool("bun", ["process.mjs", images], cwd));
        assertSame(answers, expected);
      });

      await t.step("Deno", async () => {
        const cwd = await project("deno");
        await lower("process", cwd);
        const args = ["run", "--node-modules-dir=manual", "--allow-read"];
        const bare: Job = JSON.parse(
          await command("deno", [...args, "process.mjs", images], { cwd }),
        );
        assertSame(bare, expected);
        const text = await Deno.readTextFile(`${cwd}/process.mjs`);
        await Deno.writeTextFile(
          `${cwd}/npm.mjs`,
          text.replaceAll('"@vit-msn/edge', '"npm:@vit-msn/edge'),
        );
        const npm: Job = JSON.parse(await command("deno", [...args, "npm.mjs", images], { cwd }));
        assertSame(npm, expected);
      });

      await t.step("an index, in Deno and in Node.js", async () => {
        const cwd = await project("search");
        const inNode = (await node("search", [], cwd)).trim();
        const [major] = (await command("node", ["--version"])).slice(1).split(".").map(Number);
        if (major! >= 24) assertEquals(inNode, "b.jpg a.jpg");
        else if (major! < 22) {
          assertStringIncludes(inNode, "this host has no node:sqlite; use Deno 2.2");
        }
        const args = ["run", "--node-modules-dir=manual", "--allow-read", "--allow-write=."];
        const inDeno = await command("deno", [...args, "search.mjs"], { cwd });
        assertEquals(inDeno.trim(), "b.jpg a.jpg");
      });

      await t.step("workerd", async () => {
        const cwd = await project("workerd");
        const worker = await workerdFolder(cwd);
        const answers: Job = JSON.parse(await node("in_workerd", [TOOLS, worker, images], cwd));
        assertSame(answers, { usual: serial(expected.usual), plain: serial(expected.plain) });
      });

      await t.step({
        name: `Chromium${hasChromium ? "" : " (skipped: chromium is not installed)"}`,
        ignore: !hasChromium,
        async fn() {
          const cwd = await project("pages");
          const { vite, importMap } = await chromiumPages(cwd, images);
          const sites = [vite, `${vite}+isolated`, importMap, `${importMap}+isolated`];
          const results: PageResult[] = JSON.parse(
            await node("in_chromium", [TOOLS, "chromium", ...sites], cwd),
          );
          for (const [i, { answers, ...rest }] of results.entries()) {
            const clean = { errors: [], rejections: [], isolated: i % 2 === 1 };
            assertEquals(rest, clean, sites[i]!);
            assertSame(answers, expected, sites[i]!);
          }
        },
      });

      await readme(t, await project("readme"), images, hasChromium);
      await bundlers(t, await project("bundlers"));
      await types(t, await project("types"));
      await sizes(t, await project("sizes"), images);
      await transformers(t, `${folder}/transformers`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** What a host without workers computes. */
function serial({ parallel: _, ...answers }: Answers): Answers {
  return answers;
}
