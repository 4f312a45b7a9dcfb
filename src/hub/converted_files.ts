/** Names of converted models in a model's cache folder, by data type. A new download removes them. */
export const CONVERTED_FILES = {
  f32: "model.onnx",
  f16: "model_f16.onnx",
  int8: "model_int8.onnx",
} as const;
