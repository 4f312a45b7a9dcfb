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
  await lower("page", folder);
  const page = (head: string) =>
    `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
${head}
<script type="module" src="./page.mjs"></script>
`;

  await Deno.writeTextFile(`${folder}/index.html`, page(""));
  // Workers share chunks with the page, so they are modules, too.
  await Deno.writeTextFile(
    `${folder}/vite.config.js`,
    'export default { worker: { format: "es" }, build: { target: "es2022" } };',
  );
  await tool("vite", ["build", "--logLevel", "error", "--outDir", "vite"], folder);

  const site = `${folder}/import-map`;
  await Deno.mkdir(site);
  await Deno.rename(`${folder}/page.mjs`, `${site}/page.mjs`);
  await Deno.symlink(`${folder}/node_modules`, `${site}/node_modules`);
  const imports = {
    "@vit-msn/edge": "/node_modules/@vit-msn/edge/mod.js",
    "@vit-msn/edge/model": "/node_modules/@vit-msn/edge/model.js",
  };
  await Deno.writeTextFile(
    `${site}/index.html`,
    page(`<script type="importmap">${JSON.stringify({ imports })}</script>`),
  );
  for (const root of [site, `${folder}/vite`]) await Deno.symlink(images, `${root}/images`);
  return { vite: `${folder}/vite`, importMap: site };
}
