import { escape } from "@std/html/entities";
import type { ImageFile } from "../../dataset/image_files.ts";
import { eachThumbnail } from "../../dataset/thumbnails.ts";
import type { Neighbour } from "../../search/vector_index.ts";
import { writePng } from "../../image/write_png.ts";

/** A photo and what was found for it. */
export interface FoundNeighbours {
  readonly file: string;
  readonly neighbours: readonly Neighbour[];
}

/** What the page says besides what was found. */
export interface SearchPageDetails {
  /** The index's name. */
  readonly db: string;
  /** The command line that made the page. */
  readonly command?: string | undefined;
  /** Images to decode at a time. */
  readonly jobs: number;
}

/** Formats neighbours as a self-contained web page, with a thumbnail of each image in the page itself. */
export async function searchHtml(
  found: readonly FoundNeighbours[],
  { db, command, jobs }: SearchPageDetails,
): Promise<string> {
  const files = new Map<string, ImageFile>();
  for (const { file, neighbours } of found) {
    files.set(file, file === "-" ? { file, error: "standard input" } : { file });
    for (const { path, range } of neighbours) {
      files.set(path, { file: path, ...(range ? { range } : {}) });
    }
  }
  const pictures = new Map<string, string>();
  for await (const { file, image, error } of eachThumbnail([...files.values()], jobs)) {
    pictures.set(
      file,
      image
        ? `<img alt="" src="data:image/png;base64,${(await writePng(image)).toBase64()}">`
        : `<span>${escape(error ?? "")}</span>`,
    );
  }
  const figure = (path: string, text: string) =>
    `<figure>${pictures.get(path)}<figcaption>${text}<br>${escape(path)}</figcaption></figure>`;
  const sections = found.map(({ file, neighbours }) =>
    `<section>\n${figure(file, "<b>the photo</b>")}\n${
      neighbours.map(({ path, label, similarity }) =>
        figure(path, similarity.toFixed(4) + (label === undefined ? "" : `, ${escape(label)}`))
      ).join("\n")
    }\n</section>`
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Neighbours in ${escape(db)}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; }
  section { display: flex; flex-wrap: wrap; gap: 0.7rem; padding: 1rem 0; border-top: 1px solid #ccc; }
  figure { margin: 0; width: 8rem; font-size: 0.8rem; overflow-wrap: anywhere; }
  figure span { display: block; color: #777; }
  img { max-width: 8rem; max-height: 8rem; }
  code { overflow-wrap: anywhere; }
</style>
<h1>Neighbours in ${escape(db)}</h1>
${command === undefined ? "" : `<p>Made by: <code>${escape(command)}</code></p>\n`}${
    sections.join("\n")
  }
</html>
`;
}
