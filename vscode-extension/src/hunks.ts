/** The places where two texts differ, as line edits that can be accepted one by one. */

export interface Hunk {
  /** First line of the old text that goes, and the line after the last. */
  readonly start: number;
  readonly end: number;
  /** What comes in their place, with its line ends. */
  readonly text: string;
}

/** Longest texts that are compared line by line; larger ones give one hunk for their middle. */
const LIMIT = 4_000_000;

/** The smallest set of line hunks that turns `before` into `after`, in order. */
export function hunksBetween(before: string, after: string): readonly Hunk[] {
  const old = linesOf(before);
  const fresh = linesOf(after);
  let head = 0;
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head++;
  let tail = 0;
  while (
    tail < old.length - head &&
    tail < fresh.length - head &&
    old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]
  ) {
    tail++;
  }
  const oldMiddle = old.slice(head, old.length - tail);
  const newMiddle = fresh.slice(head, fresh.length - tail);
  if (oldMiddle.length === 0 && newMiddle.length === 0) return [];
  if (oldMiddle.length * newMiddle.length > LIMIT) {
    return [{ start: head, end: head + oldMiddle.length, text: newMiddle.join('') }];
  }
  return middleHunks(oldMiddle, newMiddle, head);
}

/** The lines of a text, each with its end. */
export function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

type Step = 'keep' | 'drop' | 'add';

/** Hunks between the texts' differing middles; steps that follow each other make one. */
function middleHunks(
  old: readonly string[],
  fresh: readonly string[],
  offset: number,
): readonly Hunk[] {
  const hunks: { start: number; end: number; text: string }[] = [];
  let [line, next] = [offset, 0];
  let open: (typeof hunks)[number] | null = null;
  for (const step of steps(old, fresh)) {
    if (step === 'keep') {
      open = null;
      line++;
      next++;
      continue;
    }
    if (open === null) hunks.push((open = { start: line, end: line, text: '' }));
    if (step === 'drop') open.end = ++line;
    else open.text += fresh[next++] ?? '';
  }
  return hunks;
}

/** The way from one text to the other along their longest common subsequence of lines. */
function steps(old: readonly string[], fresh: readonly string[]): readonly Step[] {
  const common = lengths(old, fresh);
  const width = fresh.length + 1;
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  const found: Step[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < fresh.length) {
    if (old[i] === fresh[j]) {
      found.push('keep');
      i++;
      j++;
    } else if (at(i, j + 1) >= at(i + 1, j)) {
      found.push('add');
      j++;
    } else {
      found.push('drop');
      i++;
    }
  }
  while (i++ < old.length) found.push('drop');
  while (j++ < fresh.length) found.push('add');
  return found;
}

function lengths(old: readonly string[], fresh: readonly string[]): Uint32Array {
  const width = fresh.length + 1;
  const table = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      table[i * width + j] =
        old[i] === fresh[j]
          ? (table[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(table[(i + 1) * width + j] ?? 0, table[i * width + j + 1] ?? 0);
    }
  }
  return table;
}
