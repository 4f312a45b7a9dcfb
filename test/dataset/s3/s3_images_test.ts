import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { decodedImages } from "../../../src/dataset/decoded_images.ts";
import { findImageFiles } from "../../../src/dataset/image_files.ts";
import { readS3Object } from "../../../src/dataset/s3/read_s3_object.ts";
import { findS3Images, s3SourceName } from "../../../src/dataset/s3/s3_images.ts";
import { readS3Settings, type S3Settings } from "../../../src/dataset/s3/s3_settings.ts";
import { urlText } from "../../../src/cli/options/url_argument.ts";
import { type Fault, KEYS, s3Error, S3Server } from "./s3_server.ts";

const ship = Deno.readFileSync("test/images/ship.jpg");
const BYTES = new Uint8Array(3);

/** Settings from an environment of some variables. */
function settingsOf(variables: Readonly<Record<string, string>>): S3Settings {
  return readS3Settings({ get: (name) => variables[name] });
}

function settings({ endpoint }: S3Server): S3Settings {
  return settingsOf({ ...KEYS, AWS_ENDPOINT_URL: endpoint.href });
}

/** Fails the first requests of a kind with an answer. */
function first(count: number, answer: () => Response): Fault {
  return () => count-- > 0 ? answer() : undefined;
}

Deno.test("a bucket's images are found in all parts of its list, with labels, sizes and times", async () => {
  await using server = new S3Server();
  for (let i = 0; i < 2500; i++) server.put(`set/cat ${i % 3}/${i}.jpg`, BYTES);
  server.put("set/direct.PNG", BYTES);
  server.put("set/.hidden/1.jpg", BYTES);
  server.put("set/a/.1.jpg", BYTES);
  server.put("set/readme.md", BYTES);
  server.put("set/phone.heic", BYTES);
  server.put("settings/other.jpg", BYTES);
  const warnings: string[] = [];
  const images = await findS3Images("s3://photos/set", (text) => warnings.push(text), {
    settings: settings(server),
  });
  assertEquals(images.length, 2501);
  const modified = Date.parse("2024-05-01T10:00:00Z");
  assertEquals(images[1], {
    file: "s3://photos/set/cat 1/1.jpg",
    times: { size: 3, modified },
    label: "cat 1",
  });
  assertEquals(images.at(-1), {
    file: "s3://photos/set/direct.PNG",
    times: { size: 3, modified },
  });
  assertEquals(warnings, ["left out: 1 HEIC; convert it to JPEG or PNG"]);
  assertEquals(server.seen.length, 3);
  const all = await findS3Images("s3://photos/", () => {}, { settings: settings(server) });
  assertEquals([all.length, all[0]!.label], [2502, "set"]);
});

Deno.test("keys may have any characters", async () => {
  const keys = [
    "a b+c.jpg",
    "100%.jpg",
    "%41.jpg",
    "d?e#f.jpg",
    "é 写.jpg",
    "x//y.jpg",
    "(it's)!*.jpg",
    "&amp;<>\"'.jpg",
    "back\\slash.jpg",
    " .jpg",
    "line\nbreak.jpg",
  ];
  for (const encodes of [true, false]) {
    await using server = new S3Server();
    server.encodes = encodes;
    keys.forEach((key, i) => server.put(`k+&/${key}`, Uint8Array.of(i)));
    const images = await findS3Images("s3://photos/k+&", () => {}, { settings: settings(server) });
    assertEquals(images.map(({ file }) => file), keys.map((key) => `s3://photos/k+&/${key}`));
    for (const [i, { file }] of images.entries()) {
      const bytes = await readS3Object(file, 10, { settings: settings(server) });
      assertEquals([...bytes], [i], file);
    }
  }
  await assertRejects(
    () => readS3Object("s3://photos/a/../b.jpg", 10, { settings: settingsOf(KEYS) }),
    Error,
    "it cannot be asked for: a part of its key is . or ..",
  );
});

Deno.test("an object that is new may change without another time, so it has none", async () => {
  await using server = new S3Server();
  server.put("new.jpg", BYTES, new Date());
  server.put("old.jpg", BYTES, new Date(Date.now() - 60_000));
  const images = await findS3Images("s3://photos", () => {}, { settings: settings(server) });
  assertEquals(images.map(({ times }) => Object.keys(times!)), [["size"], ["size", "modified"]]);
});

Deno.test("a source may be one image; other files and patterns are refused", async () => {
  await using server = new S3Server();
  server.put("a/ship.jpg", ship);
  server.put("a/ship.jpg.jpg", ship);
  const options = { settings: settings(server), retryDelay: 1 };
  const find = (source: string) => findS3Images(source, () => {}, options);
  assertEquals((await find("s3://photos/a/ship.jpg")).map(({ file }) => file), [
    "s3://photos/a/ship.jpg",
  ]);
  for (
    const [source, words] of [
      ["s3://photos/a/dog.jpg", "s3://photos/a/dog.jpg: no such object"],
      ["s3://photos/b", "s3://photos/b: no image is there; a source is"],
      ["s3://photos/a/*.jpg", "no such object"],
      ["s3://photos/a.tar", "tables, lists and tar files are not read from S3"],
      ["s3://photos/a.csv", "tables, lists and tar files are not read from S3"],
      ["s3://", "it names no bucket; write s3://BUCKET"],
      ["s3://no/a", "s3://no/a: there is no such bucket; check its name"],
      ["s3://a:b@c/a", "it names no bucket"],
    ] as const
  ) await assertRejects(() => find(source), Error, words);
  assertEquals(s3SourceName("s3://photos//"), "s3://photos");
  assertEquals(s3SourceName("S3://photos/a/"), "s3://photos/a");
});

Deno.test("requests are repeated while the server is busy", async () => {
  await using server = new S3Server();
  server.put("ship.jpg", ship);
  const options = { settings: settings(server), retryDelay: 1 };
  for (
    const answer of [
      () => s3Error(503, "SlowDown"),
      () => new Response("busy", { status: 429 }),
      () => new Response(null, { status: 500 }),
    ]
  ) {
    server.fault = first(3, answer);
    assertEquals(await readS3Object("s3://photos/ship.jpg", 1e6, options), ship);
    server.fault = first(3, answer);
    assertEquals((await findS3Images("s3://photos", () => {}, options)).length, 1);
  }
  server.seen.length = 0;
  server.fault = first(100, () => s3Error(503, "SlowDown"));
  await assertRejects(
    () => readS3Object("s3://photos/ship.jpg", 1e6, options),
    Error,
    "the server answers 503 SlowDown: Sorry & no",
  );
  assertEquals(server.seen.length, 6);
});

Deno.test("an answer that breaks off is asked for again", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for (let broken = 2; broken >= 0; broken--) {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(4096));
      const head = `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\n`;
      await connection.write(new TextEncoder().encode(head + "whole".slice(0, 5 - broken)));
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  const settings = settingsOf({ ...KEYS, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
  const bytes = await readS3Object("s3://photos/a.jpg", 10, { settings, retryDelay: 1 });
  assertEquals(new TextDecoder().decode(bytes), "whole");
  await serving;
  listener.close();
});

Deno.test("a server that does not answer in time is asked again", async () => {
  await using server = new S3Server();
  server.put("ship.jpg", ship);
  let calls = 0;
  const end = Promise.withResolvers<void>();
  server.fault = () => calls++ > 1 ? undefined : end.promise.then(() => new Response("late"));
  const options = { settings: settings(server), retryDelay: 1, timeout: 500 };
  assertEquals(await readS3Object("s3://photos/ship.jpg", 1e6, options), ship);
  assertEquals(calls, 3);
  end.resolve();
});

Deno.test("what is wrong is said with what to do, and without the secret", async () => {
  await using server = new S3Server();
  const options = { settings: settings(server), retryDelay: 1 };
  for (
    const [answer, words] of [
      [() => s3Error(403, "AccessDenied"), "access is denied; the key needs the permissions"],
      [() => new Response(null, { status: 403 }), "access is denied"],
      [() => s3Error(403, "SignatureDoesNotMatch"), "check AWS_SECRET_ACCESS_KEY"],
      [() => s3Error(403, "InvalidAccessKeyId"), "check AWS_ACCESS_KEY_ID"],
      [() => s3Error(400, "ExpiredToken"), "set AWS_SESSION_TOKEN"],
      [() => s3Error(403, "RequestTimeTooSkewed"), "this machine's clock is wrong"],
      [
        () => s3Error(301, "PermanentRedirect", "<Region>eu-west-1</Region>"),
        "set AWS_REGION=eu-west-1",
      ],
      [
        () =>
          new Response("<Error><Code>AuthorizationHeaderMalformed</Code></Error>", {
            status: 400,
            headers: { "x-amz-bucket-region": "eu-north-1" },
          }),
        "set AWS_REGION=eu-north-1",
      ],
      [() => s3Error(400, "Odd"), "the server answers 400 Odd: Sorry & no"],
      [() => new Response("<html>Hello</html>"), "the answer is no list of S3; check AWS_ENDPOINT"],
      [() => new Response("<html>Hello</html>", { status: 404 }), "404, without a reason; check"],
    ] as const
  ) {
    server.fault = answer;
    const error = await assertRejects(
      () => findS3Images("s3://photos", () => {}, options),
      Error,
      words,
    );
    assert(!error.message.includes(KEYS.AWS_SECRET_ACCESS_KEY));
  }
  const nowhere = settingsOf({ ...KEYS, AWS_ENDPOINT_URL: "http://127.0.0.1:1" });
  await assertRejects(
    () => findS3Images("s3://photos", () => {}, { settings: nowhere, retryDelay: 1 }),
    Error,
    "s3://photos: 127.0.0.1:1 cannot be reached",
  );
  await assertRejects(
    () => readS3Object("s3://photos/a.jpg", 10, { settings: settingsOf(KEYS), retryDelay: 1 }),
    Error,
    "there is no permission to connect to photos.s3.us-east-1.amazonaws.com",
  );
});

Deno.test("settings are those of Amazon's tools", () => {
  assertThrows(() => settingsOf({}), Error, "AWS_ACCESS_KEY_ID is not set; set AWS_ACCESS_KEY_ID");
  assertThrows(
    () => settingsOf({ AWS_ACCESS_KEY_ID: "a" }),
    Error,
    "AWS_SECRET_ACCESS_KEY is not set",
  );
  for (const url of ["ftp://a", "minio:9000", "http://me:pass@host"]) {
    const error = assertThrows(() => settingsOf({ ...KEYS, AWS_ENDPOINT_URL: url }), Error);
    assert(error.message.startsWith("AWS_ENDPOINT_URL is no URL with http"), error.message);
    assert(!error.message.includes("pass@"));
  }
  const read = settingsOf({
    ...KEYS,
    AWS_DEFAULT_REGION: "eu-west-1",
    AWS_ENDPOINT_URL: "https://one",
    AWS_ENDPOINT_URL_S3: "https://two",
  });
  assertEquals([read.region, read.endpoint?.host], ["eu-west-1", "two"]);
});

Deno.test("another secret is refused", async () => {
  await using server = new S3Server();
  const wrong = { ...settings(server), secretAccessKey: "another" };
  await assertRejects(
    () => findS3Images("s3://photos", () => {}, { settings: wrong }),
    Error,
    "the secret does not fit the key; check AWS_SECRET_ACCESS_KEY",
  );
});

Deno.test("temporary credentials are sent with their token", async () => {
  await using server = new S3Server();
  server.put("ship.jpg", ship);
  const temporary = { ...settings(server), sessionToken: "token" };
  await readS3Object("s3://photos/ship.jpg", 1e6, { settings: temporary });
  assertEquals(server.seen[0]!.headers.get("x-amz-security-token"), "token");
});

Deno.test("an object over the limit is not read, and one that has vanished is its own error", async () => {
  await using server = new S3Server();
  server.put("ship.jpg", ship);
  const options = { settings: settings(server) };
  await assertRejects(
    () => readS3Object("s3://photos/ship.jpg", ship.length - 1, options),
    RangeError,
    `it has more than ${ship.length - 1} bytes`,
  );
  assertEquals(await readS3Object("s3://photos/ship.jpg", ship.length, options), ship);
  await assertRejects(
    () => readS3Object("s3://photos/gone.jpg", 10, options),
    Error,
    "no such object",
  );
});

Deno.test("commands that read files say what to do with an address of S3", async () => {
  assertEquals(await findImageFiles(["s3://photos/a.jpg"], { explainMissing: urlText }), [{
    file: "s3://photos/a.jpg",
    error: "only `deno task index` reads from S3: download it with `aws s3 cp s3://photos/a.jpg .`",
  }]);
});

Deno.test("without permission for the environment, an object is its own error", async () => {
  const [image] = await Array.fromAsync(
    decodedImages([{ file: "s3://photos/a.jpg" }], new ReadableStream()),
  );
  assertEquals(image!.error, "there is no permission to read AWS_ACCESS_KEY_ID: add --allow-env");
});
