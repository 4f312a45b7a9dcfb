import { goldenPath, sha256 } from "../golden/golden.ts";

/** A request that a {@linkcode HubServer} got. */
export interface Received {
  readonly server: "hub" | "cdn";
  readonly file: string;
  readonly authorization: string | null;
  readonly range: string | null;
  readonly ifRange: string | null;
}

/** An answer in place of the usual one. */
export type Answer = (request: Request, content: Uint8Array<ArrayBuffer>) => Response;

/** The commit that the server's one revision stands for. */
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/**
 * Two servers that behave like the hub: small files come from the one, for weights it redirects to
 * the other. The model is `org/tiny`.
 */
export class HubServer implements AsyncDisposable {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly received: Received[] = [];
  /** What to answer next for a file, by `hub config.json` or `cdn model.safetensors`. */
  readonly answers = new Map<string, Answer[]>();
  etag = '"version-1"';
  /** Only with this the hub answers, if it is set. */
  token: string | undefined;
  commit = COMMIT;
  readonly #hub: Deno.HttpServer<Deno.NetAddr>;
  readonly #cdn: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    for (const name of ["config.json", "model.safetensors"]) {
      this.files.set(name, Deno.readFileSync(goldenPath(`tiny/${name}`)));
    }
    this.#hub = serve((request) => this.#answer("hub", request));
    this.#cdn = serve((request) => this.#answer("cdn", request));
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#hub.addr.port}`;
  }

  /** Where the hub sends those who ask for a file of weights. */
  cdnUrl(file: string): string {
    return `http://127.0.0.1:${this.#cdn.addr.port}/blobs/${file}?signature=secret`;
  }

  /** What was asked for, as `hub config.json`. */
  get asked(): string[] {
    return this.received.map(({ server, file }) => `${server} ${file}`);
  }

  /** Sets what comes in place of the next answers for a file. */
  next(what: string, ...answers: Answer[]): void {
    this.answers.set(what, answers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#hub.shutdown(), this.#cdn.shutdown()]);
  }

  async #answer(server: "hub" | "cdn", request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const [, file = ""] = /\/(?:resolve\/[^/]+|blobs)\/(.+)$/.exec(pathname) ?? [];
    const { headers } = request;
    this.received.push({
      server,
      file,
      authorization: headers.get("Authorization"),
      range: headers.get("Range"),
      ifRange: headers.get("If-Range"),
    });
    const content = this.files.get(file);
    const answer = this.answers.get(`${server} ${file}`)?.shift();
    if (answer) return answer(request, content ?? new Uint8Array());
    if (server === "cdn") return content ? ranged(request, content, this.etag) : notFound();
    if (this.token && headers.get("Authorization") !== `Bearer ${this.token}`) {
      return new Response("Invalid username or password.", { status: 401 });
    }
    const served = ["main", "feature%2Fx", this.commit].map((at) =>
      `/org/tiny/resolve/${at}/${file}`
    );
    if (!content || !served.includes(pathname)) return notFound();
    const commit = { "X-Repo-Commit": this.commit };
    if (file.endsWith(".json")) {
      return new Response(content, { headers: { ...commit, ETag: '"blob"' } });
    }
    return new Response(null, {
      status: 302,
      headers: {
        ...commit,
        Location: this.cdnUrl(file),
        "X-Linked-ETag": `"${await sha256(content)}"`,
        "X-Linked-Size": String(content.length),
      },
    });
  }
}

/** Says that there will be all of the content, sends some of it, and breaks the connection. */
export function cutAfter(bytes: number, etag: string): Answer {
  return (request, content) => {
    const whole = ranged(request, content, etag);
    const start = content.length - Number(whole.headers.get("Content-Length"));
    let sent = false;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (!sent) {
          sent = true;
          return controller.enqueue(content.subarray(start, start + bytes));
        }
        await new Promise((resolve) => setTimeout(resolve, 100)); // until they have arrived
        controller.error(new Error("cut"));
      },
    });
    return new Response(body, { status: whole.status, headers: whole.headers });
  };
}

/** An answer of just a status, and headers where there are any. */
export function status(code: number, headers: Record<string, string> = {}): Answer {
  return () => new Response(null, { status: code, headers });
}

function ranged(request: Request, content: Uint8Array<ArrayBuffer>, etag: string): Response {
  const [, start] = /^bytes=(\d+)-$/.exec(request.headers.get("Range") ?? "") ?? [];
  const from = Number(start ?? 0);
  const part = start !== undefined && request.headers.get("If-Range") === etag;
  if (part && from >= content.length) return new Response(null, { status: 416 });
  const body = part ? content.subarray(from) : content;
  const headers = new Headers({ ETag: etag, "Content-Length": String(body.length) });
  if (part) {
    headers.set("Content-Range", `bytes ${from}-${content.length - 1}/${content.length}`);
  }
  return new Response(body, { status: part ? 206 : 200, headers });
}

function notFound(): Response {
  return new Response("Entry not found", { status: 404 });
}

function serve(handler: (request: Request) => Promise<Response>): Deno.HttpServer<Deno.NetAddr> {
  const quiet = { onListen: () => {}, onError: () => new Response(null, { status: 500 }) };
  return Deno.serve({ hostname: "127.0.0.1", port: 0, ...quiet }, handler);
}
