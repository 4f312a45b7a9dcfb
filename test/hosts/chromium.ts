import { lower, tool } from "./support/tools.ts";

/** What a page tells. */
export interface PageResult {
  readonly answers: unknown;
  /** Of promises, which nobody handled. */
  readonly rejections: readonly string[];
  /** Errors that nobody caught. */
  readonly errors: readonly string[];
  readonly isolated: boolean;
}

/** The sites' folders. */
export interface Sites {
  /** Built by Vite. */
  readonly vite: string;
  /** The package's files as they are, found by an import map. */
  readonly importMap: string;
}

/** Makes sites of the project in a folder. */
export async function chromiumPages(folder: string, images: string): Promise<Sites> {
  const vite = await viteSite(folder, "page", images);
  const importMap = `${folder}/import-map`;
  await Deno.mkdir(importMap);
  await Deno.copyFile(`${folder}/page.mjs`, `${importMap}/page.mjs`);
  await Deno.symlink(`${folder}/node_modules`, `${importMap}/node_modules`);
  await Deno.symlink(images, `${importMap}/images`);
  const imports = {
    "@vit-msn/edge": "/node_modules/@vit-msn/edge/mod.js",
    "@vit-msn/edge/model": "/node_modules/@vit-msn/edge/model.js",
  };
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  await Deno.writeTextFile(`${importMap}/index.html`, htmlOf("page", map));
  return { vite, importMap };
}

/** Builds a program of `programs/` as a site, and gives it the images. */
export async function viteSite(folder: string, program: string, images: string): Promise<string> {
  await lower(program, folder);
  await Deno.writeTextFile(`${folder}/index.html`, htmlOf(program));
  // Workers share chunks with the page, so they are modules, too.
  await Deno.writeTextFile(
    `${folder}/vite.config.js`,
    'export default { worker: { format: "es" }, build: { target: "es2022" } };',
  );
  await tool("vite", ["build", "--logLevel", "error", "--outDir", "vite"], folder);
  await Deno.symlink(images, `${folder}/vite/images`);
  return `${folder}/vite`;
}

function htmlOf(program: string, head = ""): string {
  return `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
${head}
<script type="module" src="./${program}.mjs"></script>
`;
}
