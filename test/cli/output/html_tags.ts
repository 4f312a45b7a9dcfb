/** Elements without an end tag (HTML, void elements). */
const VOID = new Set(["meta", "img", "br"]);
/** Elements whose end tag may be left out, and the tags that end them (HTML, optional tags). */
const ENDED_BY: Readonly<Record<string, RegExp>> = {
  tr: /^(tr|\/table)$/,
  th: /^(th|td|tr|\/table)$/,
  td: /^(th|td|tr|\/table)$/,
};

/**
 * Finds what is not well-formed in a page: tags that do not match, attributes without quotes or given
 * twice, and characters that should be escaped. Inside of SVG every element must be closed.
 *
 * @returns a line for each.
 */
export function brokenTags(page: string): string[] {
  const broken: string[] = [];
  const open: string[] = [];
  const body = page.replace(/^<!doctype html>\n/, "").replace(/<style>[^]*?<\/style>/, "");
  if (body.length === page.length) broken.push("no doctype");
  for (const [_, text, tag] of body.matchAll(/([^<]*)(<[^>]*>)?/g)) {
    if (/[>]/.test(text!)) broken.push(`not escaped: ${text}`);
    for (const [entity] of text!.matchAll(/&.{0,5}/g)) {
      if (!/^&(amp|lt|gt|quot|#39);/.test(entity)) broken.push(`not escaped: ${entity}`);
    }
    if (!tag) continue;
    const [whole, slash, name, attributes, selfClosing] =
      /^<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z0-9-]+="[^"<]*")*)\s*(\/?)>$/.exec(tag) ?? [];
    if (!whole) {
      broken.push(`no tag: ${tag}`);
      continue;
    }
    while (ENDED_BY[open.at(-1)!]?.test(slash! + name!)) open.pop();
    const names = [...attributes!.matchAll(/\s([a-zA-Z0-9-]+)=/g)].map(([_, each]) => each);
    if (new Set(names).size < names.length) broken.push(`an attribute twice: ${tag}`);
    if (slash) {
      const last = open.pop();
      if (last !== name) broken.push(`${tag} ends ${last}`);
    } else if (selfClosing) {
      if (!open.includes("svg")) broken.push(`not in SVG: ${tag}`);
    } else if (!VOID.has(name!)) open.push(name!);
  }
  return [...broken, ...open.map((name) => `${name} is not ended`)];
}
