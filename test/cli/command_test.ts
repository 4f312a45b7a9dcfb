import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { build } from "../../src/cli/build.ts";
import { classify } from "../../src/cli/classify.ts";
import type { Command } from "../../src/cli/command.ts";
import { convert } from "../../src/cli/convert.ts";
import { embed } from "../../src/cli/embed.ts";
import { evaluate } from "../../src/cli/evaluate.ts";
import { fit } from "../../src/cli/fit.ts";
import { forward } from "../../src/cli/forward.ts";
import { preprocess } from "../../src/cli/preprocess.ts";
import { serve } from "../../src/cli/serve.ts";
import { run } from "./run.ts";

const COMMANDS = [
  classify,
  embed,
  fit,
  evaluate,
  serve,
  build,
  convert,
  preprocess,
  forward,
] as unknown as Command[];

Deno.test("every command says the version that deno.json states", async () => {
  const { name, version } = JSON.parse(Deno.readTextFileSync("deno.json"));
  assertMatch(version, /^\d+\.\d+\.\d+$/);
  for (const command of COMMANDS) {
    assertEquals(await run(command, ["--version"]), {
      code: 0,
      stdout: `${name} ${version}\n`,
      stderr: "",
    });
    assertStringIncludes((await run(command, ["--help"])).stdout, "--version");
  }
});

Deno.test("an unknown option is told with an option that is near, and with none that is far", async () => {
  const cases: [Command, string, string | undefined][] = [
    [classify, "--topk=3", "--top-k"],
    [classify, "--top", "--top-k"],
    [classify, "--modle", "--model"],
    [classify, "--treshold", "--threshold"],
    [classify, "--helpp", "--help"],
    [classify, "--verson", "--version"],
    [classify, "-k", undefined],
    [classify, "--out", undefined],
    [classify, "--frobnicate", undefined],
    [embed, "--frobnicate", undefined],
    [embed, "--top-k", undefined],
    [fit, "--epochs", undefined],
  ].map(([command, arg, near]) => [command as Command, arg as string, near as string | undefined]);
  for (const [command, arg, near] of cases) {
    const { code, stderr } = await run(command, ["x.jpg", arg]);
    assertEquals(code, 2);
    const suggestion = near ? `; did you mean ${near}?` : "";
    assertEquals(
      stderr,
      `${command.name}: unknown option ${arg.split("=")[0]}${suggestion}; see ` +
        `\`deno task ${command.name} --help\`\n`,
    );
  }
});

Deno.test("help texts list no option that changes nothing, or is another command's", async () => {
  assert(!(await run(embed, ["--help"])).stdout.includes("--json"));
  for (const command of COMMANDS) {
    const { stdout } = await run(command, ["--help"]);
    const listed = [...stdout.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name!);
    for (const [, name] of stdout.matchAll(/--([a-z][a-z-]+)/g)) {
      // An option of another command is named with it.
      const isNamedWithIt = stdout.includes(`deno task fit … --${name}`);
      assert(listed.includes(name!) || isNamedWithIt, `${command.name} speaks of --${name}`);
    }
  }
});
