/** Proposed edits that nobody has decided about: they come back with their conversation. */

import type { ProposedEdit } from './conversation';

const KEY = 'quillon.chat.proposals';
/** What a workspace keeps of them; the oldest go first. */
const MOST = 20;

/** A proposed edit of a conversation. */
export interface Kept {
  readonly conversation: string;
  readonly id: string;
  readonly proposal: ProposedEdit;
}

/** Where proposals outlive the window. */
export interface ProposalStore {
  get(key: string, otherwise: readonly Kept[]): readonly Kept[];
  update(key: string, all: readonly Kept[]): Thenable<void>;
}

export class Proposals {
  constructor(private readonly store: ProposalStore) {}

  of(conversation: string): readonly Kept[] {
    return this.#kept.filter((each) => each.conversation === conversation);
  }

  add(kept: Kept): void {
    this.#keep([...this.#kept.filter(({ id }) => id !== kept.id), kept].slice(-MOST));
  }

  /** It was applied or discarded. */
  forget(id: string): void {
    if (this.#kept.some((each) => each.id === id)) {
      this.#keep(this.#kept.filter((each) => each.id !== id));
    }
  }

  /** Of a conversation only these are left: its questions were asked anew, or it is deleted. */
  retain(conversation: string, ids: ReadonlySet<string>): void {
    this.#keep(this.#kept.filter((each) => each.conversation !== conversation || ids.has(each.id)));
  }

  get #kept(): readonly Kept[] {
    return this.store.get(KEY, []);
  }

  #keep(all: readonly Kept[]): void {
    void this.store.update(KEY, all);
  }
}
