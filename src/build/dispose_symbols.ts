import type { Plugin } from "esbuild";

/** Options of esbuild that go with {@linkcode disposeSymbols}. */
export const DISPOSE_OPTIONS = {
  define: { "Symbol.dispose": "dispose", "Symbol.asyncDispose": "asyncDispose" },
  inject: ["dispose-symbols"],
} as const;

/**
 * What Safari and Node.js before 20.4 lack. esbuild's own helpers use the same symbols. Taken by pattern,
 * because `define` would replace `Symbol.dispose` here, too.
 */
const SYMBOLS = `
const { dispose: own, asyncDispose: ownAsync } = Symbol;
export const dispose = own ?? Symbol.for("Symbol.dispose");
export const asyncDispose = ownAsync ?? Symbol.for("Symbol.asyncDispose");
`;

/** Defines the symbols of `using` for hosts that lack them; it stands before plugins that resolve paths. */
export const disposeSymbols: Plugin = {
  name: "dispose-symbols",
  setup(build) {
    build.onResolve(
      { filter: /^dispose-symbols$/ },
      ({ path }) => ({ path, namespace: "symbols" }),
    );
    build.onLoad({ filter: /.*/, namespace: "symbols" }, () => ({ contents: SYMBOLS }));
  },
};
