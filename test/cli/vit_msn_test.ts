import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { vitMsn } from "../../src/cli/vit_msn.ts";
import { EMPTY_SYSTEM, type Result } from "./run.ts";

/** Runs the installed program, whose commands are given this terminal. */
async function run(...args: string[]): Promise<Result & { asked: string[] }> {
  const written = { stdout: "", stderr: "" };
  const asked: string[] = [];
  const output = (name: keyof typeof written) => ({
    isTerminal: false,
    color: false,
    columns: 80,
    write: (text: string) => void (written[name] += text),
  });
  const code = await vitMsn(args, (command) => {
    asked.push(command);
    return {
      stdin: ReadableStream.from([]),
      stdout: output("stdout"),
      stderr: output("stderr"),
      system: EMPTY_SYSTEM,
    };
  });
  return { code, ...written, asked };
}

Deno.test("vit-msn runs a command as deno task does", async () => {
  const { code, stdout, stderr, asked } = await run("classify", "test/images/ship.jpg", "--json");
  assertEquals([code, stderr, asked], [0, "", ["classify"]]);
  assertEquals(JSON.parse(stdout).labels[0].label, "ship");
});

Deno.test("vit-msn --help lists every command that is a task, and each has its own help", async () => {
  const { code, stdout } = await run("--help");
  assertEquals(code, 0);
  assertEquals((await run("-h")).stdout, stdout);
  const listed = [...stdout.matchAll(/^ {2}([a-z]+) {2,}[A-Z]/gm)].map(([, name]) => name!);
  const { tasks } = JSON.parse(Deno.readTextFileSync("deno.json"));
  const commands = Object.entries<string>(tasks).flatMap(([name, line]) =>
    line.includes(`src/cli/${name}.ts`) ? [name] : []
  );
  assertEquals(listed.toSorted(), commands.toSorted());
  for (const name of listed) {
    const help = await run(name, "--help");
    assertEquals([help.code, help.stderr], [0, ""]);
    assertMatch(help.stdout, new RegExp(`\nUsage: vit-msn ${name} .*\\[options\\]\n`));
    assert(!help.stdout.includes("deno task"), name);
  }
});

Deno.test("vit-msn's messages name it, not deno task", async () => {
  const usage = await run("classify", "x.jpg", "--topk=3");
  assertEquals(usage.code, 2);
  assertStringIncludes(usage.stderr, "did you mean --top-k?; see `vit-msn classify --help`\n");
  const url = await run("embed", "https://example.com/a.jpg");
  assertStringIncludes(url.stderr, "curl -L https://example.com/a.jpg | vit-msn embed -`\n");
  const unknown = await run("classify", "test/images/ship.jpg", "--unknown");
  assertStringIncludes(unknown.stderr, "fit one with `vit-msn fit`");
});

Deno.test("vit-msn says what is wrong with its own arguments", async () => {
  const cases: [string[], string][] = [
    [[], "no command given"],
    [["clasify"], "unknown command clasify; did you mean classify?"],
    [["toString"], "unknown command toString"],
    [["--frobnicate"], "unknown option --frobnicate"],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await run(...args);
    assertEquals([code, stdout], [2, ""]);
    assertEquals(stderr, `vit-msn: ${message}; see \`vit-msn --help\`\n`);
  }
  const { version, name } = JSON.parse(Deno.readTextFileSync("deno.json"));
  assertEquals((await run("--version")).stdout, `${name} ${version}\n`);
  assertEquals((await run("fit", "--version")).stdout, `${name} ${version}\n`);
});
