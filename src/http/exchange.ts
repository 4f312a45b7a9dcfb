import { Deadline } from "./deadline.ts";

/** A part of the work on a request, by its name in `Server-Timing`. */
export type TimedPart = "decode" | "preprocess" | "wait" | "inference" | "search";

/** A request in progress: its deadline and the time that its parts took. */
export class Exchange implements Disposable {
  readonly request: Request;
  /** The values of the path's parameters. */
  readonly path: Readonly<Record<string, string>>;
  readonly deadline: Deadline;
  readonly #times = new Map<TimedPart, number>();

  /** @param timeout milliseconds from now to the answer. */
  constructor(request: Request, path: Readonly<Record<string, string>>, timeout: number) {
    this.request = request;
    this.path = path;
    this.deadline = new Deadline(timeout, request.signal);
  }

  /** The parts in the order of their first end, in milliseconds: of several images, their sum. */
  get times(): ReadonlyMap<TimedPart, number> {
    return this.#times;
  }

  /** Adds to a part's time. */
  addTime(part: TimedPart, milliseconds: number): void {
    this.#times.set(part, (this.#times.get(part) ?? 0) + milliseconds);
  }

  /** Ends the deadline. */
  [Symbol.dispose](): void {
    this.deadline[Symbol.dispose]();
  }
}
