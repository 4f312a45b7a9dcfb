import { assertEquals, assertRejects } from "@std/assert";
import { Problem } from "../../../src/http/problem.ts";
import { isForm, readForm } from "../../../src/http/request/form.ts";

const TYPE = "multipart/form-data; boundary=abc";

/** A form of so many fields. */
function fields(count: number): Uint8Array<ArrayBuffer> {
  const parts = Array.from(
    { length: count },
    (_, i) => `--abc\r\ncontent-disposition: form-data; name="f${i}"\r\n\r\nv${i}\r\n`,
  );
  return new TextEncoder().encode(`${parts.join("")}--abc--\r\n`);
}

Deno.test("readForm gives files and fields, in order", async () => {
  const form = new FormData();
  form.append("a", "1");
  form.append("image", new Blob([Uint8Array.of(1, 2)]), "x.png");
  form.append("a", "2");
  const response = new Response(form);
  const type = response.headers.get("content-type")!;
  const { files, fields } = await readForm(new Uint8Array(await response.arrayBuffer()), type, 3);
  assertEquals(fields, [["a", "1"], ["a", "2"]]);
  assertEquals(await files[0]!.bytes(), Uint8Array.of(1, 2));
});

Deno.test("readForm takes as many parts as it may, and no more", async () => {
  assertEquals((await readForm(fields(5), TYPE, 5)).fields.length, 5);
  const problem = await assertRejects(
    () => readForm(fields(6), TYPE, 5),
    Problem,
    "more than 5 parts",
  );
  assertEquals(problem.status, 413);
});

Deno.test("readForm refuses what is no form, or has no boundary that could be one", async () => {
  const none = [
    "multipart/form-data",
    "multipart/form-data; boundary=",
    `${TYPE}${"x".repeat(70)}`,
  ];
  for (const type of none) {
    assertEquals(
      (await assertRejects(() => readForm(fields(1), type, 5), Problem)).status,
      400,
      type,
    );
  }
  const cut = fields(2).subarray(0, 60);
  assertEquals((await assertRejects(() => readForm(cut, TYPE, 5), Problem)).status, 400);
  assertEquals(
    (await readForm(fields(1), 'multipart/form-data; boundary="abc"', 5)).fields.length,
    1,
  );
});

Deno.test("isForm goes by the media type alone", () => {
  assertEquals(isForm(" Multipart/Form-Data; boundary=x"), true);
  assertEquals(isForm("multipart/form-database"), false);
  assertEquals(isForm("application/json"), false);
});
