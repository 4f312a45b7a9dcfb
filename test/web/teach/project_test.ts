import { assertEquals, assertRejects } from "@std/assert";
import { MemoryStore } from "../../../src/web/store/memory_store.ts";
import { type NewPhoto, Project } from "../../../src/web/teach/project.ts";
import { content, hashOf } from "../store/content.ts";

function photo(i: number): NewPhoto {
  return {
    hash: hashOf(i),
    name: `${i}.jpg`,
    model: hashOf(99),
    embedding: Float32Array.of(i),
    thumbnail: Uint8Array.of(0xff, 0xd8).buffer,
    width: 1,
    height: 1,
    pixels: Uint8Array.of(1, 2, 3).buffer,
  };
}

async function taught() {
  const store = new MemoryStore();
  const project = await Project.open(store);
  const cat = await project.addClass("cat");
  const dog = await project.addClass(" dog ");
  await project.addPhotos(cat.id, [photo(1), photo(2)]);
  await project.addPhotos(dog.id, [photo(3)]);
  return { store, project, cat, dog };
}

const hashes = (photos: readonly { hash: string }[]) =>
  photos.map(({ hash }) => parseInt(hash, 16));

Deno.test("a project that is opened again is as it was", async () => {
  const { store, project } = await taught();
  const again = await Project.open(store);
  assertEquals(again.classes, project.classes);
  assertEquals(again.classes.map(({ name }) => name), ["cat", "dog"]);
  assertEquals(again.photos, project.photos);
  assertEquals((await again.images([hashOf(3), hashOf(4)])).map((image) => image?.width), [
    1,
    undefined,
  ]);
});

Deno.test("a photo is in a project once", async () => {
  const { project, dog } = await taught();
  const already = await project.addPhotos(dog.id, [photo(1), photo(4), photo(4)]);
  assertEquals(hashes(already), [1]);
  assertEquals(hashes(project.photos), [1, 2, 3, 4]);
  assertEquals(project.photo(hashOf(1))?.classId, project.classes[0]?.id);
});

Deno.test("a deleted class comes back with its photos, until the project is opened again", async () => {
  const { store, project, cat } = await taught();
  await project.deleteClass(cat.id);
  assertEquals(project.classes.map(({ name }) => name), ["dog"]);
  assertEquals(hashes(project.photos), [3]);
  await project.restoreClass(cat.id);
  assertEquals(project.classes.map(({ name }) => name), ["cat", "dog"]);
  assertEquals(hashes(project.photos), [1, 2, 3]);
  await project.deleteClass(cat.id);
  const again = await Project.open(store);
  assertEquals(hashes(again.photos), [3]);
  assertEquals(await store.readImages([hashOf(1)]), [undefined]);
});

Deno.test("a class does not come back beside another one of its name", async () => {
  const { project, cat } = await taught();
  await project.deleteClass(cat.id);
  await project.addClass("cat");
  await assertRejects(() => project.restoreClass(cat.id), RangeError, "there is one already");
});

Deno.test("photos are moved, deleted and restored, and a deleted one can be added again", async () => {
  const { store, project, cat, dog } = await taught();
  await project.movePhotos([hashOf(1)], dog.id);
  assertEquals(hashes(project.members.get(dog.id)!), [1, 3]);
  await project.deletePhotos([hashOf(2), hashOf(3)]);
  assertEquals(hashes(project.photos), [1]);
  await project.restorePhotos([hashOf(3)]);
  assertEquals(hashes(project.photos), [1, 3]);
  assertEquals(await project.addPhotos(cat.id, [photo(2)]), []);
  assertEquals(hashes((await Project.open(store)).photos).sort(), [1, 2, 3]);
});

for (
  const [name, message] of [
    ["  ", "the name is empty"],
    ["cat", "there is one already"],
    ["Unknown", "photos of no class are called so"],
    ["x".repeat(81), "more than 80 characters"],
  ] as const
) {
  Deno.test(`a class is not named ${JSON.stringify(name.slice(0, 9))}`, async () => {
    const { project, dog } = await taught();
    await assertRejects(() => project.addClass(name), RangeError, message);
    await assertRejects(() => project.renameClass(dog.id, name), RangeError, message);
  });
}

Deno.test("a store without room changes nothing of the project", async () => {
  const { store, project, cat } = await taught();
  store.write = () => Promise.reject(new Error("no room"));
  await assertRejects(() => project.addPhotos(cat.id, [photo(9)]), Error, "no room");
  await assertRejects(() => project.deleteClass(cat.id), Error, "no room");
  assertEquals(hashes(project.photos), [1, 2, 3]);
});

Deno.test("an imported project joins classes of the same name, and no photo is lost or doubled", async () => {
  const { store, project, cat } = await taught();
  await project.renameClass(cat.id, "bird");
  assertEquals(await project.merge(content(5)), 2); // of photos 0 to 4, 1 to 3 are there
  assertEquals(project.classes.map(({ name }) => name), ["bird", "dog", "cat"]);
  const again = await Project.open(store);
  assertEquals(hashes(again.photos).sort(), [0, 1, 2, 3, 4]);
  const images = await again.images([0, 1, 2, 3, 4].map(hashOf));
  assertEquals(images.filter((image) => !image), []);
});
