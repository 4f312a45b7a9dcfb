import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import { FolderLock } from "../../src/hub/folder_lock.ts";
import { TempFolder } from "../cli/run.ts";

const FAST = { refresh: 20, stale: 200, poll: 5 };

Deno.test("one at a time holds a FolderLock, and the next one gets it", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/lock`;
  let holders = 0;
  let most = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    await using _lock = await FolderLock.acquire(path, FAST);
    most = Math.max(most, ++holders);
    await delay(10);
    holders--;
  }));
  assertEquals(most, 1);
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("a FolderLock is kept for as long as its holder lives", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/lock`;
  const lock = await FolderLock.acquire(path, FAST);
  let got = false;
  const next = FolderLock.acquire(path, FAST).then((lock) => (got = true, lock));
  await delay(3 * FAST.stale);
  assertEquals(got, false);
  await lock[Symbol.asyncDispose]();
  await (await next)[Symbol.asyncDispose]();
});

Deno.test("a FolderLock that a process left is taken over, once", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/lock`;
  const old = new Date(Date.now() - 60_000);
  let holders = 0;
  for (let round = 0; round < 5; round++) {
    folder.write("lock", "a process that was killed");
    Deno.utimeSync(path, old, old);
    await Promise.all(Array.from({ length: 6 }, async () => {
      await using _lock = await FolderLock.acquire(path, FAST);
      assertEquals(++holders, 1);
      await delay(5);
      holders--;
    }));
  }
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("a FolderLock that was taken over is left to its new holder", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/lock`;
  const suspended = await FolderLock.acquire(path, { ...FAST, refresh: 1e6 });
  const old = new Date(Date.now() - 60_000);
  Deno.utimeSync(path, old, old);
  const next = await FolderLock.acquire(path, FAST);
  await suspended[Symbol.asyncDispose]();
  assert(Deno.statSync(path).isFile);
  await next[Symbol.asyncDispose]();
});

Deno.test("the wait for a FolderLock can be ended, and its folder must exist", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/lock`;
  await using _lock = await FolderLock.acquire(path, FAST);
  const signal = AbortSignal.timeout(50);
  await assertRejects(() => FolderLock.acquire(path, { ...FAST, signal }), DOMException);
  await assertRejects(() => FolderLock.acquire(`${folder.path}/no/lock`), Error, "ENOENT");
});
