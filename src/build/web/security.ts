/** Where models of the Hugging Face hub come from: the hub, and what it redirects to. */
const HUB_HOSTS = ["https://huggingface.co", "https://*.huggingface.co", "https://*.hf.co"];

/**
 * What the page may do. Only its own files run: no script stands in HTML, and none comes from a text
 * (`require-trusted-types-for`). Photos are `blob:` addresses; only a model of the hub is ever fetched
 * from elsewhere, and nothing is sent there.
 */
export const CONTENT_SECURITY_POLICY: string = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  `connect-src 'self' ${HUB_HOSTS.join(" ")}`,
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html vit-msn-edge",
].join("; ");

/** Headers of all files of the page. The first two isolate it from other origins, which threads need. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  // A meta element cannot say by whom a page may be framed.
  "content-security-policy": `${CONTENT_SECURITY_POLICY}; frame-ancestors 'none'`,
  "permissions-policy": "camera=(self), microphone=(), geolocation=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
