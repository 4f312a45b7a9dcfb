import { assertEquals } from "@std/assert";
import { parseHubName } from "../../src/hub/hub_name.ts";

Deno.test("parseHubName() takes names, and nothing that could lead elsewhere", () => {
  assertEquals(parseHubName("facebook/vit-msn-small"), {
    repo: "facebook/vit-msn-small",
    revision: "main",
  });
  assertEquals(parseHubName("a/b@refs/pr/1"), { repo: "a/b", revision: "refs/pr/1" });
  for (
    const text of [
      ..."a /b a/ a/b/c ../b a/.. a/. a/b@ a/b@../c a/b@c/.. a/b@/c a/b@c//d a/b@c@d".split(" "),
      ..."https://a/b a\\b C:/b a/b?c a/b#c a/b%2e".split(" "),
      "a/b c",
      "a/b\n",
      "",
    ]
  ) assertEquals(parseHubName(text), undefined, text);
});
