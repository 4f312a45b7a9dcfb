/** Aborts a request when its server has sent nothing for too long, or when its caller wants no more. */
export class Watchdog implements Disposable {
  readonly #controller = new AbortController();
  readonly #silence: number;
  readonly #caller: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout>;

  /**
   * @param silence in milliseconds.
   * @param caller aborts the request, too.
   */
  constructor(silence: number, caller?: AbortSignal) {
    this.#silence = silence;
    this.#caller = caller;
    this.#timer = this.#start();
  }

  /** Aborts the request. */
  get signal(): AbortSignal {
    const { signal } = this.#controller;
    return this.#caller ? AbortSignal.any([signal, this.#caller]) : signal;
  }

  /** Restarts the timer. */
  feed(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  /** Stops the timer. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#controller.abort(new Error(`the server was silent for ${this.#silence / 1000} s`));
    }, this.#silence);
  }
}
