import { concat } from "@std/bytes/concat";
import type { NamedTensors, Runtime, Session } from "./runtime/runtime.ts";
import type { GraphVariant } from "./vit_msn/graph.ts";
import { writeVariant } from "./vit_msn/model_file.ts";

/** A session that is in use, and not ended before it is given back by disposing of it. */
export interface BorrowedSession extends AsyncDisposable {
  run(inputs: NamedTensors, outputs: readonly string[]): Promise<NamedTensors>;
}

/** A variant's session, as far as it is there, and how many use it. */
interface Entry {
  readonly key: string;
  readonly session: Promise<Session>;
  users: number;
}

/** Each holds the weights once more. */
const MAX_VARIANTS = 2;

/**
 * The sessions of one model: of the graph in its file, and of the variants that were asked for last.
 */
export class GraphSessions implements AsyncDisposable {
  readonly #bytes: Uint8Array;
  readonly #plainOutputs: readonly string[];
  readonly #plain: Session;
  readonly #runtime: Runtime;
  /** The variant that was used last is at the end. */
  #variants: Entry[] = [];

  /**
   * @param bytes the model's file, of which variants are made.
   * @param plainOutputs what its graph computes.
   * @param plain a session of it.
   */
  constructor(
    bytes: Uint8Array,
    plainOutputs: readonly string[],
    plain: Session,
    runtime: Runtime,
  ) {
    this.#plainOutputs = plainOutputs;
    this.#bytes = bytes;
    this.#plain = plain;
    this.#runtime = runtime;
  }

  /** The session that computes a variant's outputs: the plain one, if that is enough. */
  async borrow({ outputs = [], ...graph }: GraphVariant): Promise<BorrowedSession> {
    const isPlain = Object.keys(graph).length === 0 &&
      outputs.every((name) => this.#plainOutputs.includes(name));
    if (isPlain) {
      const plain = this.#plain;
      return { run: (...args) => plain.run(...args), async [Symbol.asyncDispose]() {} };
    }
    const key = JSON.stringify([graph, outputs.toSorted()]);
    const entry = this.#variants.find((known) => known.key === key) ??
      { key, session: this.#create({ ...graph, outputs }), users: 0 };
    this.#variants = [...this.#variants.filter((other) => other !== entry), entry];
    entry.users++;
    try {
      const session = await entry.session;
      return {
        run: (...args) => session.run(...args),
        [Symbol.asyncDispose]: async () => {
          entry.users--;
          await this.#endOldest();
        },
      };
    } catch (error) {
      // A failure is not kept.
      this.#variants = this.#variants.filter((other) => other !== entry);
      throw error;
    }
  }

  /** Frees the memory of all sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    const variants = this.#variants;
    this.#variants = [];
    await this.#plain[Symbol.asyncDispose]();
    for (const { session } of variants) await (await session)[Symbol.asyncDispose]();
  }

  async #create(variant: GraphVariant): Promise<Session> {
    return await this.#runtime.createSession(concat(writeVariant(this.#bytes, variant)));
  }

  async #endOldest(): Promise<void> {
    const idle = this.#variants.filter(({ users }) => users === 0);
    const surplus = idle.slice(0, Math.max(0, this.#variants.length - MAX_VARIANTS));
    this.#variants = this.#variants.filter((entry) => !surplus.includes(entry));
    for (const { session } of surplus) await (await session)[Symbol.asyncDispose]();
  }
}
