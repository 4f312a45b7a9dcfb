// Asks an address over and over, each time on a new connection, and remembers the longest answer.

/** A worker's global scope, as far as it is used here. */
interface WorkerScope {
  onmessage: (event: MessageEvent<string>) => void;
  postMessage(longest: number): void;
}

const scope = globalThis as unknown as WorkerScope;
const INTERVAL = 20;

let longest = 0;
let began: number | undefined;

scope.onmessage = ({ data }) => {
  if (data === "end") {
    const waiting = began === undefined ? 0 : performance.now() - began;
    scope.postMessage(Math.max(longest, waiting));
  } else void watch(data);
};

async function watch(url: string): Promise<void> {
  for (;;) {
    began = performance.now();
    try {
      const response = await fetch(url, { headers: { connection: "close" } });
      await response.arrayBuffer();
      if (response.status !== 200) longest = Infinity;
    } catch {
      longest = Infinity;
    }
    longest = Math.max(longest, performance.now() - began);
    began = undefined;
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}
