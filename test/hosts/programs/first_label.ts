import { decodeImage, loadClassifier } from "@vit-msn/edge";

/** The first label that a program with the package gives: the shortest way from files to it. */
export async function firstLabel(photo: Uint8Array, model: Uint8Array): Promise<string> {
  const [classifier, image] = await Promise.all([loadClassifier(model), decodeImage(photo)]);
  const [best] = await classifier.classify(image);
  return best!.label;
}
