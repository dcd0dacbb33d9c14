/** When a crashed server is started again, and when no more. */

const DELAYS = [500, 1_000, 2_000, 4_000, 8_000] as const;
const WINDOW = 3 * 60_000;

/** Milliseconds until the next start; null when it crashed too often in the last three minutes. */
export class Backoff {
  #crashes: number[] = [];

  next(now: number): number | null {
    this.#crashes = this.#crashes.filter((time) => now - time < WINDOW);
    const delay = DELAYS[this.#crashes.length] ?? null;
    this.#crashes.push(now);
    return delay;
  }

  /** The user asked for a start: what happened before does not count. */
  forget(): void {
    this.#crashes = [];
  }
}
