import type { TemplateResult } from "lit-html";
import type { App } from "./app.ts";

/** A part of the page. Its file is loaded when it is first opened. */
export interface View {
  /** Draws it from the state. */
  render(app: App): TemplateResult;
  /** Called whenever it is opened. */
  open?(app: App): void;
  /** Called when another one is opened. */
  close?(app: App): void;
}
