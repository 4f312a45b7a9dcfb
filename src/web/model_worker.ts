/// <reference lib="dom" />
// All inference, fitting and decoding of the page. One request runs at a time.
import { HANDLERS } from "./handlers/handlers.ts";
import { LoadedModel } from "./handlers/loaded_model.ts";
import type { Answer, Envelope } from "./messages.ts";

const say = (answer: Answer) => postMessage(answer);
const model = new LoadedModel();
let last = Promise.resolve();

onmessage = ({ data }: MessageEvent<Envelope>) => {
  last = last.then(() => answer(data));
};
say({ ready: true });

async function answer({ id, kind, request }: Envelope): Promise<void> {
  try {
    const handler = HANDLERS[kind];
    const reply = await handler(request as never, {
      model,
      progress: (progress: unknown) => say({ id, progress }),
    });
    say({ id, reply });
  } catch (error) {
    say({ id, error: error instanceof Error ? error.message : String(error) });
  }
}
