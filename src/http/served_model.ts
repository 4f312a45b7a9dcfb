import { ViTMSNForImageClassification, type ViTMSNModel } from "../model/vit_msn_model.ts";
import { Problem } from "./problem.ts";

/** A model as the service needs it. */
export interface ServedModel {
  /** The loaded model. The caller disposes of it. */
  readonly model: ViTMSNModel;
  /** Tells this model from any other, in `/metrics`: the SHA-256 of its file in hexadecimal. */
  readonly sha256: string;
}

/** @throws {Problem} 400 if the model names no labels. */
export function classifierOf({ model }: ServedModel): ViTMSNForImageClassification {
  if (model instanceof ViTMSNForImageClassification) return model;
  throw new Problem(400, "The model here has no classifier; it makes embeddings: POST /embed");
}
