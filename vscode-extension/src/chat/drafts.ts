/** What is being written, for the page that comes after one that was hidden or reloaded. */

import type { Draft } from './messages';

const KEY = 'quillon.draft';
const NONE: Draft = { text: '', attached: [] };

/** Where the draft outlives the window. */
export interface DraftStore {
  get(key: string, otherwise: Draft): Draft;
  update(key: string, draft: Draft): Thenable<void>;
}

export class Drafts {
  /** A question that is written anew: known for as long as its conversation is shown. */
  #anew: Draft | null = null;

  constructor(private readonly store: DraftStore) {}

  get current(): Draft {
    return this.#anew ?? this.store.get(KEY, NONE);
  }

  async save(draft: Draft): Promise<void> {
    this.#anew = draft.keep === undefined ? null : draft;
    // After a reload nobody knows which question it was to replace; its text is kept.
    const { text, attached } = draft;
    await this.store.update(KEY, { text, attached });
  }

  /** The question is asked, or its conversation left: what was being written before comes back. */
  async leave(): Promise<void> {
    if (this.#anew !== null) await this.save(this.#anew.before ?? NONE);
  }
}
