import { html } from "lit-html";
import type { View } from "./view.ts";

/** Shows what the model looks at. */
export const explainView: View = {
  render: (app) => html`<p>${app.photos.length}</p>`,
};
