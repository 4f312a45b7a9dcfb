/// <reference lib="dom" />

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** Safari and Firefox may have no Trusted Types. */
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };

const policy = trustedTypes?.createPolicy("vit-msn-edge", {
  createScriptURL(url) {
    if (new URL(url).origin === location.origin) return url;
    throw new TypeError(`Cannot run ${url}: it is not a script of this page`);
  },
});

/**
 * An address from which a worker may start, under the Content Security Policy
 * `require-trusted-types-for 'script'`.
 *
 * @throws {TypeError} if it has another origin.
 */
export function scriptUrl({ href }: URL): string {
  return policy?.createScriptURL(href) ?? href;
}
