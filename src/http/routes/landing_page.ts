import { escape } from "@std/html/entities";
import type { Route } from "../route.ts";

/** `GET /`: a page that describes the service and how to call it. */
export const landingPage: Route = {
  method: "get",
  path: "/",
  open: true,
  summary: "A page that says what this is",
  errors: "problem",
  response: "text/html",
  answer({ request }, service) {
    const { origin } = new URL(request.url);
    return new Response(page(escape(service.name), escape(origin)), {
      headers: { "content-type": "text/html; charset=utf-8" },
    });
  },
};

function page(name: string, origin: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${name}: image classification and embeddings</title>
<h1>${name}</h1>
<p>Names what is on images, and makes embeddings of them, with a ViT-MSN vision transformer.</p>
<pre>
curl --data-binary @photo.jpg ${origin}/classify?top_k=3
curl -F image=@a.jpg -F image=@b.png ${origin}/classify
curl --data-binary @photo.jpg ${origin}/embed?normalize=true
</pre>
<p>JPEG, PNG, GIF and WebP. Everything else: <a href="openapi.json">openapi.json</a>.</p>
</html>
`;
}
