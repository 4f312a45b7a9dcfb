import { assertEquals, assertRejects } from "@std/assert";
import { Semaphore } from "../../../src/http/queue/semaphore.ts";
import { Problem } from "../../../src/http/problem.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("Semaphore lets in what there is room for, in the order of coming", async () => {
  const semaphore = new Semaphore(10);
  const order: string[] = [];
  const ends = new Map<string, () => void>();
  const pass = (name: string, size: number) =>
    semaphore.run(async () => {
      order.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    }, () =>
      false, size);
  const all = [pass("a", 6), pass("b", 6), pass("c", 4), pass("d", 50)];
  await turn();
  assertEquals(order, ["a"]); // c would fit, but b came first
  ends.get("a")!();
  await turn();
  assertEquals(order, ["a", "b", "c"]);
  ends.get("b")!();
  await turn();
  assertEquals(order.length, 3);
  ends.get("c")!();
  await turn();
  assertEquals(order, ["a", "b", "c", "d"]); // larger than the room, it has all of it
  ends.get("d")!();
  await Promise.all(all);
});

Deno.test("Semaphore runs nothing that nobody waits for any more, and goes on after an error", async () => {
  const semaphore = new Semaphore(1);
  const problem = await assertRejects(
    () => semaphore.run(() => Promise.resolve(), () => true),
    Problem,
  );
  assertEquals(problem.status, 504);
  await assertRejects(() => semaphore.run(() => Promise.reject(new Error("broken")), () => false));
  assertEquals(await semaphore.run(() => Promise.resolve(7), () => false), 7);
});
