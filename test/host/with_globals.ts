/** Does work while global names stand for something else; `undefined` takes a name away. */
export async function withGlobals<T>(
  names: Readonly<Record<string, unknown>>,
  work: () => T | Promise<T>,
): Promise<T> {
  const before = Object.keys(names).map((name) =>
    [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const
  );
  for (const [name, value] of Object.entries(names)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  try {
    return await work();
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name);
    }
  }
}

/** The global names of Node.js 22 that tell it from Deno. */
export const NODE = { Worker: undefined, navigator: { userAgent: "Node.js/22" } };

/** Those of a host without threads, which may have Node.js' modules all the same. */
export const CLOUDFLARE = { Worker: undefined, navigator: { userAgent: "Cloudflare-Workers" } };

/** Those of a page that is not isolated from other origins. */
export const NOT_ISOLATED = { crossOriginIsolated: false };
