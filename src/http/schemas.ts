// Schemas that several routes share. The same schemas validate and document: /openapi.json is made of them.

import * as v from "valibot";

/** An image of one pixel in base64, for examples. */
export const EXAMPLE_IMAGE = "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=";

/** An image in a JSON document. */
export const imageText = v.pipe(
  v.string(),
  v.description(
    "An image in base64, as a data URL or, where the service allows its host, as an https URL",
  ),
);

/** An image in a JSON document, or several. */
export const oneOrMoreImages = v.union([imageText, v.array(imageText)]);

const POSITIVE_INTEGER = "an integer above 0";

/** A count, or a length. */
export const positiveInteger = v.pipe(
  v.number(),
  v.integer(POSITIVE_INTEGER),
  v.minValue(1, POSITIVE_INTEGER),
);

/** How vectors are written: as numbers, or little-endian float32 in base64. */
export const encodingFormat = v.picklist(["float", "base64"]);

/** An error, RFC 9457. */
export const problemDocument = v.object({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.string(),
  error: v.string(),
});

/** An error in OpenAI's form. */
export const openaiError = v.object({
  error: v.object({
    message: v.string(),
    type: v.string(),
    param: v.null(),
    code: v.nullable(v.string()),
  }),
});

/** An error of the Open Inference Protocol. */
export const inferenceError = v.object({ error: v.string() });
