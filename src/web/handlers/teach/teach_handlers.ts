import type { TeachMessages } from "../../teach/teach_messages.ts";
import type { Handler } from "../handlers.ts";

/** The handlers of Teach and Compare; each is loaded when it is first asked for. */
export const TEACH_HANDLERS: { readonly [Kind in keyof TeachMessages]: Handler<Kind> } = {
  identify: async (...given) => (await import("./identify.ts")).identify(...given),
  readPhoto: async (...given) => (await import("./read_photo.ts")).readPhoto(...given),
  embedPixels: async (...given) => (await import("./embed_pixels.ts")).embedPixels(...given),
  fit: async (...given) => (await import("./fit.ts")).fit(...given),
  predict: async (...given) => (await import("./predict.ts")).predict(...given),
  writeModel: async (...given) => (await import("./write_model.ts")).writeModel(...given),
  writeHead: async (...given) => (await import("./write_head.ts")).writeHead(...given),
  writeEmbeddings: async (...given) =>
    (await import("./write_embeddings.ts")).writeEmbeddings(...given),
  givePhotos: async (...given) => (await import("./write_project.ts")).givePhotos(...given),
  writeProject: async (...given) => (await import("./write_project.ts")).writeProject(...given),
  openProject: async (...given) => (await import("./opened_project.ts")).openProject(...given),
  takePhotos: async (...given) => (await import("./opened_project.ts")).takePhotos(...given),
  project: async (...given) => (await import("./project.ts")).project(...given),
};
