import type { View } from "./view.ts";

/** A tab of the page. */
export interface Tab {
  readonly title: string;
  /** Loads its view. */
  load(): Promise<View>;
}

/** The tabs by the names that stand in the address, the first one first. */
export const TABS: Readonly<Record<string, Tab>> = {
  see: { title: "See", load: async () => (await import("./see_view.ts")).seeView },
  explain: { title: "Explain", load: async () => (await import("./explain_view.ts")).explainView },
};
