import type { GraphVariant } from "../../vit_msn/graph.ts";
import type { Session } from "../runtime.ts";

/** A session that is in use; it is given back by disposing of it, and not ended before. */
export interface BorrowedSession extends AsyncDisposable {
  run: Session["run"];
}

/** A graph's session, as far as it is there, and how many use it. */
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
  readonly #plainOutputs: readonly string[];
  readonly #plain: Entry;
  readonly #createVariant: (variant: GraphVariant) => Promise<Session>;
  /** The variant that was used last is at the end. */
  #variants: Entry[] = [];
  #isDisposed = false;

  /**
   * @param plain a session of the graph in the model's file.
   * @param plainOutputs what that graph computes.
   * @param createVariant makes a session of another graph.
   */
  constructor(
    plain: Session,
    plainOutputs: readonly string[],
    createVariant: (variant: GraphVariant) => Promise<Session>,
  ) {
    this.#plain = { key: "", session: Promise.resolve(plain), users: 0 };
    this.#plainOutputs = plainOutputs;
    this.#createVariant = createVariant;
  }

  /**
   * The session that computes a variant's outputs: the plain one, if that is enough.
   *
   * @throws {Error} if the model is disposed of.
   */
  async borrow({ outputs = [], ...graph }: GraphVariant): Promise<BorrowedSession> {
    if (this.#isDisposed) throw new Error("Cannot run the model: it is disposed of");
    const isPlain = Object.keys(graph).length === 0 &&
      outputs.every((name) => this.#plainOutputs.includes(name));
    const entry = isPlain ? this.#plain : this.#variant({ ...graph, outputs });
    entry.users++;
    try {
      const session = await entry.session;
      return {
        run: (...args) => session.run(...args),
        [Symbol.asyncDispose]: () => this.#giveBack(entry),
      };
    } catch (error) {
      // A failure is not kept.
      this.#variants = this.#variants.filter((other) => other !== entry);
      throw error;
    }
  }

  /** Frees the memory of all sessions: now, or when those that use them give them back. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    const idle = [this.#plain, ...this.#variants].filter(({ users }) => users === 0);
    await Promise.all(idle.map(endSession));
  }

  #variant(variant: GraphVariant): Entry {
    const key = JSON.stringify({ ...variant, outputs: variant.outputs?.toSorted() });
    const entry = this.#variants.find((known) => known.key === key) ??
      { key, session: this.#createVariant(variant), users: 0 };
    this.#variants = [...this.#variants.filter((other) => other !== entry), entry];
    return entry;
  }

  async #giveBack(entry: Entry): Promise<void> {
    entry.users--;
    if (this.#isDisposed) {
      if (entry.users === 0) await endSession(entry);
      return;
    }
    // The least recently used variants go first.
    const surplus = this.#variants
      .filter(({ users }) => users === 0)
      .slice(0, Math.max(0, this.#variants.length - MAX_VARIANTS));
    this.#variants = this.#variants.filter((other) => !surplus.includes(other));
    await Promise.all(surplus.map(endSession));
  }
}

async function endSession({ session }: Entry): Promise<void> {
  await (await session)[Symbol.asyncDispose]();
}
