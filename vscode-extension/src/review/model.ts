/**
 * A review of one file: what it is now, and what it would become. Each hunk between the two is
 * accepted or discarded by itself. Pure: the editor is told what to do by whoever holds this.
 */

import type { Hunk } from '../hunks';
import { hunksBetween, linesOf } from '../hunks';

export interface FileReview {
  /** The document as it is. */
  readonly base: string;
  /** The document with all hunks that are still open. */
  readonly target: string;
  readonly accepted: number;
  readonly discarded: number;
}

export function startReview(base: string, target: string): FileReview {
  return { base, target, accepted: 0, discarded: 0 };
}

export function openHunks({ base, target }: FileReview): readonly Hunk[] {
  return hunksBetween(base, target);
}

/** Take hunks over into the document; without `index` all of them. */
export function accept(review: FileReview, index?: number): FileReview {
  const hunks = openHunks(review);
  const chosen = index === undefined ? hunks : hunks.slice(index, index + 1);
  const base = withHunks(review.base, chosen);
  return { ...review, base, accepted: review.accepted + chosen.length };
}

/** Drop hunks; without `index` all of them. */
export function discard(review: FileReview, index?: number): FileReview {
  const hunks = openHunks(review);
  const kept = index === undefined ? [] : hunks.filter((_, at) => at !== index);
  const target = withHunks(review.base, kept);
  return { ...review, target, discarded: review.discarded + hunks.length - kept.length };
}

/**
 * The review after the document changed by other means; null where the change touches what is
 * proposed, because nobody can say then what the proposal means.
 */
export function rebased(review: FileReview, base: string): FileReview | null {
  const proposed = openHunks(review);
  const changed = hunksBetween(review.base, base);
  const apart = changed.every((one) =>
    proposed.every((other) => one.end < other.start || other.end < one.start),
  );
  if (!apart) return null;
  return { ...review, base, target: withHunks(review.base, [...proposed, ...changed]) };
}

export function withHunks(text: string, hunks: readonly Hunk[]): string {
  const lines = [...linesOf(text)];
  for (const { start, end, text: fresh } of [...hunks].sort((a, b) => b.start - a.start)) {
    lines.splice(start, end - start, fresh);
  }
  return lines.join('');
}

export type LineKind = 'same' | 'old' | 'new';

/** One hunk as the reader sees it: lines of the shown text, from 0, the last excluded. */
export interface ShownHunk {
  readonly index: number;
  readonly first: number;
  readonly last: number;
  readonly removed: number;
  readonly added: number;
}

/** Both versions in one text: what goes stands above what comes. */
export interface Shown {
  readonly text: string;
  readonly kinds: readonly LineKind[];
  readonly hunks: readonly ShownHunk[];
}

export function shown(review: FileReview): Shown {
  const old = linesOf(review.base);
  const lines: string[] = [];
  const kinds: LineKind[] = [];
  const hunks: ShownHunk[] = [];
  const add = (kind: LineKind, some: readonly string[]): void => {
    for (const line of some) {
      lines.push(line.replace(/\r?\n$/, ''));
      kinds.push(kind);
    }
  };
  let at = 0;
  openHunks(review).forEach(({ start, end, text }, index) => {
    add('same', old.slice(at, start));
    const first = lines.length;
    const fresh = linesOf(text);
    add('old', old.slice(start, end));
    add('new', fresh);
    const [removed, added] = [end - start, fresh.length];
    hunks.push({ index, first, last: lines.length, removed, added });
    at = end;
  });
  add('same', old.slice(at));
  return { text: lines.join('\n'), kinds, hunks };
}

/** Which line of the document a line of the shown text stands for. */
export function documentLine({ kinds }: Shown, line: number): number {
  return kinds.slice(0, line).filter((kind) => kind !== 'new').length;
}

/** The hunk that the cursor is in, else the next one below: what the reader looks at. */
export function hunkAt({ hunks }: Shown, line: number): ShownHunk | undefined {
  return hunks.find(({ last }) => line < last);
}
