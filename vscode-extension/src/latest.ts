/** Runs one task at a time and keeps at most one waiting: ten requests to restart are two restarts. */

export class Latest {
  #running: Promise<void> | null = null;
  #waiting: Promise<void> | null = null;

  constructor(readonly task: () => Promise<void>) {}

  /** Resolves when a run that began after this call has ended. */
  run(): Promise<void> {
    if (this.#running === null) return this.#start();
    this.#waiting ??= this.#running.then(
      () => this.#next(),
      () => this.#next(),
    );
    return this.#waiting;
  }

  #next(): Promise<void> {
    this.#waiting = null;
    return this.#start();
  }

  #start(): Promise<void> {
    const running = this.task().finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }
}
