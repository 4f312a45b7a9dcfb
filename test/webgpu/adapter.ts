if (await navigator.gpu?.requestAdapter() == null) {
  throw new Error(
    "Cannot test WebGPU: this machine has no adapter; on Linux, mesa-vulkan-drivers has one in software",
  );
}

/** For tests on an adapter. Its device stays for the sessions to come. */
export const GPU_TEST = { sanitizeResources: false, sanitizeOps: false };
