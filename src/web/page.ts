/// <reference lib="dom" />
// The page's entry: starts the worker, loads the model, and shows the tab that the address names.
import { html, render } from "lit-html";
import { App } from "./app.ts";
import { frame } from "./frame.ts";
import { scriptUrl } from "./script_url.ts";
import { TABS } from "./tabs.ts";
import type { View } from "./view.ts";

const root = document.querySelector<HTMLElement>("#page")!;
const [first] = Object.keys(TABS) as [string];
const views = new Map<string, View>();
let name = first;

const app: App = new App(() => {
  const view = views.get(name);
  render(frame(app, name, view ? view.render(app) : html``), root);
});

async function show(): Promise<void> {
  const wanted = location.hash.slice(1);
  const next = wanted in TABS ? wanted : first;
  const view = views.get(next) ?? await TABS[next]!.load();
  if (name !== next) views.get(name)?.close?.(app);
  name = next;
  views.set(name, view);
  document.title = `${TABS[name]!.title} · ViT-MSN Edge`;
  view.open?.(app);
  app.changed();
}

addEventListener("hashchange", () => void show());
await show();
await app.load({ url: new URL("./model.onnx", document.baseURI).href, name: "this page's model" });
// Last: the files of the first visit come first.
if ("serviceWorker" in navigator && isSecureContext) {
  const url = scriptUrl(new URL("./service_worker.js", document.baseURI));
  // Without it, as in a private window, the page only needs the network.
  await navigator.serviceWorker.register(url).catch(() => {});
}
