/// <reference lib="dom" />

/**
 * Takes the photos that are dropped or pasted anywhere on the page.
 *
 * @returns a function that ends it.
 */
export function takeFiles(take: (files: readonly File[]) => void): () => void {
  const listeners = new AbortController();
  const { signal } = listeners;
  const { body } = document;
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    body.classList.add("dropping");
  }, { signal });
  addEventListener("dragleave", (event) => {
    // It also leaves every element inside.
    if (!event.relatedTarget) body.classList.remove("dropping");
  }, { signal });
  addEventListener("drop", (event) => {
    body.classList.remove("dropping");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  }, { signal });
  addEventListener("paste", (event) => {
    const files = [...event.clipboardData?.files ?? []];
    if (files.length === 0) return;
    event.preventDefault();
    take(files);
  }, { signal });
  return () => listeners.abort();
}
