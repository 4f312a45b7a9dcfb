import type { Embed } from "./peers.ts";

/** What is used of transformers.js. */
interface Transformers {
  env: Record<string, unknown>;
  AutoModel: {
    from_pretrained(name: string, options: unknown): Promise<
      (inputs: unknown) => Promise<{ last_hidden_state: { data: Float32Array; dims: number[] } }>
    >;
  };
  AutoProcessor: { from_pretrained(name: string): Promise<(image: unknown) => Promise<unknown>> };
  RawImage: { fromBlob(blob: Blob): Promise<unknown> };
}

// A specifier that is no literal is not part of the module graph, nor of the lock file.
const PACKAGE: string = "npm:@huggingface/transformers@4.3.1";

/** transformers.js with a model folder of its own, which is deleted again; one thread. */
export async function transformersJs(
  model: Uint8Array,
  { config, preprocessorConfig }: { config: unknown; preprocessorConfig: unknown },
): Promise<Embed> {
  const { env, AutoModel, AutoProcessor, RawImage } = await import(PACKAGE) as Transformers;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/model/onnx`, { recursive: true });
    await Deno.writeTextFile(`${folder}/model/config.json`, JSON.stringify(config));
    await Deno.writeTextFile(
      `${folder}/model/preprocessor_config.json`,
      JSON.stringify(preprocessorConfig),
    );
    // What dtype says is but the file's name: it is `model.onnx` for fp32.
    await Deno.writeFile(`${folder}/model/onnx/model.onnx`, model);
    Object.assign(env, {
      allowRemoteModels: false,
      allowLocalModels: true,
      localModelPath: folder,
      useFSCache: false,
      useBrowserCache: false,
    });
    const processor = await AutoProcessor.from_pretrained("model");
    const forward = await AutoModel.from_pretrained("model", {
      dtype: "fp32",
      device: "cpu",
      session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
    });
    return async (photo) => {
      const image = await RawImage.fromBlob(new Blob([photo as Uint8Array<ArrayBuffer>]));
      const { last_hidden_state: { data, dims } } = await forward(await processor(image));
      return data.slice(0, dims[2]);
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
