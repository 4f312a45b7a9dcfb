import { fromFileUrl } from "@std/path";
import ts from "typescript";
import config from "../../deno.json" with { type: "json" };
import { command } from "./support/command.ts";
import { TOOLS } from "./support/tools.ts";

/** The compilers of users, as `tools/package.json` names them. */
const COMPILERS = ["typescript-5.9", "typescript-6.0"] as const;

/** How modules are found: by Node.js and by bundlers. */
const RESOLUTIONS = {
  nodenext: { module: "nodenext", moduleResolution: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
} as const;

/** The one entry that needs another package's types. */
const NEEDS_PEER = "./onnxruntime";

/**
 * A strict project of TypeScript checks the job, and a file with every export of every entry, also the
 * declarations themselves.
 */
export async function types(t: Deno.TestContext, folder: string): Promise<void> {
  const job = fromFileUrl(new URL("programs/job.ts", import.meta.url));
  await Deno.copyFile(job, `${folder}/job.ts`);
  const entries = Object.entries(config.exports).filter(([name]) => !name.endsWith("-worker"));
  const files = new Map(entries.map(([name], i) => [name, `entry_${i}.ts`]));
  for (const [name, source] of entries) {
    await Deno.writeTextFile(`${folder}/${files.get(name)}`, reExport(name, source));
  }
  const alone = [...files].filter(([name]) => name !== NEEDS_PEER).map(([, file]) => file);

  for (const [name, resolution] of Object.entries(RESOLUTIONS)) {
    for (const compiler of COMPILERS) {
      await t.step(`types: ${compiler}, ${name}`, async () => {
        await check(folder, compiler, resolution, ["job.ts", ...alone]);
      });
    }
  }
  await t.step(`types: ${NEEDS_PEER}, with its peer`, async () => {
    await linkPeer(folder);
    for (const resolution of Object.values(RESOLUTIONS)) {
      for (const compiler of COMPILERS) {
        await check(folder, compiler, resolution, [files.get(NEEDS_PEER)!]);
      }
    }
  });
}

async function check(
  folder: string,
  compiler: string,
  resolution: Readonly<Record<string, string>>,
  files: readonly string[],
): Promise<void> {
  const compilerOptions = {
    ...resolution,
    target: "es2022",
    lib: ["es2022", "dom"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    isolatedModules: true,
    preserveSymlinks: true, // of the peer
    noEmit: true,
  };
  await Deno.writeTextFile(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, files }));
  await command("node", [`${TOOLS}/node_modules/${compiler}/bin/tsc`], { cwd: folder });
}

/** `export { a, type B } from "@vit-msn/edge/…";` with all that a module exports. */
function reExport(name: string, source: string): string {
  const program = ts.createSourceFile(
    source,
    Deno.readTextFileSync(source),
    ts.ScriptTarget.ESNext,
  );
  const names: string[] = [];
  for (const statement of program.statements) {
    if (ts.isExportDeclaration(statement)) {
      const { isTypeOnly, exportClause } = statement;
      if (!exportClause || !ts.isNamedExports(exportClause)) {
        throw new Error(`Cannot tell what ${source} exports: it does so without names`);
      }
      for (const element of exportClause.elements) {
        names.push(`${isTypeOnly || element.isTypeOnly ? "type " : ""}${element.name.text}`);
      }
    } else if (ts.isVariableStatement(statement)) {
      names.push(
        ...statement.declarationList.declarations.map(({ name }) => (name as ts.Identifier).text),
      );
    } else {
      throw new Error(`Cannot tell what ${source} exports: ${ts.SyntaxKind[statement.kind]}`);
    }
  }
  const unique = [...new Set(names)];
  return `export { ${unique.join(", ")} } from "${name.replace(/^\./, config.name)}";\n`;
}

/** Installs onnxruntime-web of Deno's cache: the package is large. */
async function linkPeer(folder: string): Promise<void> {
  await import("onnxruntime-web/wasm"); // downloads what the cache lacks
  const web = packageFolder(import.meta.resolve("onnxruntime-web/wasm"), "onnxruntime-web");
  const { dependencies } = JSON.parse(await Deno.readTextFile(`${web}/package.json`));
  const common = `${web}/../../onnxruntime-common/${dependencies["onnxruntime-common"]}`;
  await Deno.symlink(web, `${folder}/node_modules/onnxruntime-web`);
  await Deno.symlink(common, `${folder}/node_modules/onnxruntime-common`);
}

/** The folder of a version of a package, around one of its files. */
function packageFolder(url: string, name: string): string {
  const [, folder] = fromFileUrl(url).match(`^(.*/${name}/[^/]+)/`)!;
  return folder!;
}
