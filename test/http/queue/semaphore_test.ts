import { assertEquals, assertRejects } from "@std/assert";
import { Gate } from "../../../src/http/queue/semaphore.ts";
import { Problem } from "../../../src/http/problem.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("Gate lets in what there is room for, in the order of coming", async () => {
  const gate = new Gate(10);
  const order: string[] = [];
  const ends = new Map<string, () => void>();
  const pass = (name: string, size: number) =>
    gate.pass(async () => {
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

Deno.test("Gate runs nothing that nobody waits for any more, and goes on after an error", async () => {
  const gate = new Gate(1);
  const problem = await assertRejects(
    () => gate.pass(() => Promise.resolve(), () => true),
    Problem,
  );
  assertEquals(problem.status, 504);
  await assertRejects(() => gate.pass(() => Promise.reject(new Error("broken")), () => false));
  assertEquals(await gate.pass(() => Promise.resolve(7), () => false), 7);
});
