// Fails unless the service answers: distroless images have no curl.
const { ok } = await fetch("http://127.0.0.1:8000/v2/health/live");
if (!ok) Deno.exit(1);
