import { assert, assertEquals } from "@std/assert";
import { brokenTags } from "./html_tags.ts";

/** Checks a page about training for all that each page must be: well-formed, alone, drawn inside its charts. */
export function checkedPage(page: string): string {
  assertEquals(brokenTags(page), []);
  assert(!/<script|https?:|url\(|src="(?!data:)/.test(page), "needs nothing from elsewhere");
  for (const [tag] of page.matchAll(/<(?:polyline|circle|line|text|rect|svg)\b[^>]*>/g)) {
    assert(!/NaN|Infinity|undefined/.test(tag), tag);
  }
  for (const [_, x, y] of page.matchAll(/ cx="(.*?)" cy="(.*?)"/g)) {
    assert(+x! >= 0 && +x! <= 720 && +y! >= 0 && +y! <= 320, `${x}, ${y} is outside`);
  }
  for (const [_, y] of page.matchAll(/ y[12]="(.*?)"/g)) {
    assert(+y! >= 0 && +y! <= 320, `a line at ${y} is outside`);
  }
  return page;
}

/** The chart whose title is given; empty if there is none. */
export function chartOf(page: string, title: string): string {
  const [chart] = page.split("<figure").filter((part) => part.includes(`<title>${title}</title>`));
  return chart ?? "";
}

/** How often a text has a piece. */
export function count(text: string, piece: string): number {
  return text.split(piece).length - 1;
}
