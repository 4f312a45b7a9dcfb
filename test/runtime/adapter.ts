const hasAdapter = await navigator.gpu?.requestAdapter() != null;
if (!hasAdapter) console.log("The tests of WebGPU are skipped: this machine has no adapter.");

/** For tests that need an adapter. Its device stays for the sessions to come. */
export const GPU_TEST = { ignore: !hasAdapter, sanitizeResources: false, sanitizeOps: false };
