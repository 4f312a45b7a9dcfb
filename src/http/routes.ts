import type { Route } from "./route.ts";
import { attention } from "./routes/attention.ts";
import { classify } from "./routes/classify.ts";
import { embed } from "./routes/embed.ts";
import { infer } from "./routes/inference/infer.ts";
import { live } from "./routes/inference/live.ts";
import { modelMetadata } from "./routes/inference/model_metadata.ts";
import { modelReady } from "./routes/inference/model_ready.ts";
import { ready } from "./routes/inference/ready.ts";
import { serverMetadata } from "./routes/inference/server_metadata.ts";
import { landingPage } from "./routes/landing_page.ts";
import { metrics } from "./routes/metrics.ts";
import { openaiEmbeddings } from "./routes/openai/embeddings.ts";
import { openaiModel } from "./routes/openai/model.ts";
import { openaiModels } from "./routes/openai/models.ts";
import { search } from "./routes/search.ts";

/** Every route but the API's own description. */
export const ROUTES: readonly Route[] = [
  classify,
  embed,
  attention,
  search,
  openaiEmbeddings,
  openaiModels,
  openaiModel,
  serverMetadata,
  live,
  ready,
  modelMetadata,
  modelReady,
  infer,
  metrics,
  landingPage,
];
