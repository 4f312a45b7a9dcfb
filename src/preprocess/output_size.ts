import type { PreprocessorConfig } from "./preprocessor_config.ts";

/**
 * The size to which a processor resizes an image, before it crops. With `shortest_edge`, the longer side is
 * truncated, as in Hugging Face's `get_resize_output_image_size`.
 */
export function outputSize(
  { width, height }: { readonly width: number; readonly height: number },
  { doResize, size }: Pick<PreprocessorConfig, "doResize" | "size">,
): { width: number; height: number } {
  if (!doResize) return { width, height };
  if (!("shortestEdge" in size)) return size;
  const short = size.shortestEdge;
  return width <= height
    ? { width: short, height: Math.trunc(short * height / width) }
    : { width: Math.trunc(short * width / height), height: short };
}
