/** Whether suggestions are silenced for a while. */

export class Snooze {
  #until = 0;

  constructor(readonly now: () => number) {}

  /** Silence for so many minutes; 0 ends the silence. */
  set(minutes: number): void {
    this.#until = minutes <= 0 ? 0 : this.now() + minutes * 60_000;
  }

  get active(): boolean {
    return this.now() < this.#until;
  }

  /** Whole minutes left, at least 1 while it lasts. */
  get minutesLeft(): number {
    return this.active ? Math.max(1, Math.ceil((this.#until - this.now()) / 60_000)) : 0;
  }
}
