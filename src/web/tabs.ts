import type { View } from "./view.ts";

/** A tab of the page. */
export interface Tab {
  readonly title: string;
  /** Loads its view. */
  load(): Promise<View>;
}

/** The tabs by the names that stand in the address, the first one first. */
export const TABS: Readonly<Record<string, Tab>> = {
  see: { title: "See", load: async () => new (await import("./see_view.ts")).SeeView() },
  explain: {
    title: "Explain",
    load: async () => new (await import("./explain_view.ts")).ExplainView(),
  },
};
