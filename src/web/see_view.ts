import { html } from "lit-html";
import type { View } from "./view.ts";

/** Names what is on photos. */
export const seeView: View = {
  render: (app) => html`<p>${app.photos.length}</p>`,
};
