import { assertEquals } from "@std/assert";
import { brokenTags } from "./html_tags.ts";

const page = (body: string) => `<!doctype html>\n<html lang="en">${body}</html>`;

Deno.test("what is not well-formed in a page is found", () => {
  const broken = [
    "<p>a",
    "<p>a</h1>",
    "a > b",
    "a & b",
    "<p class=x>a</p>",
    '<p class="x" class="y">a</p>',
    "<p/>",
    '<svg><line x1="1"></svg>',
    '<img alt="<b>">',
  ];
  for (const body of broken) assertEquals(brokenTags(page(body)).length > 0, true, body);
  assertEquals(brokenTags("<p>a</p>").length > 0, true);
});

Deno.test("end tags that HTML leaves out are not missed", () => {
  const body = '<table><tr><th>a<td>1<tr><th>b<td>2</table><br><svg><line x1="1"/></svg>&amp;';
  assertEquals(brokenTags(page(body)), []);
});
