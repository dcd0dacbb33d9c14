/** The `@name` and `#selection` marks in a question, and `path:line` places in an answer. */

/** The mark that stands for whatever is selected in the editor when the question is sent. */
export const SELECTION = '#selection';

/** The `@…` that the caret stands in, without its `@`; null where no name is being typed. */
export function typedName(
  text: string,
  caret: number,
): { readonly start: number; readonly query: string } | null {
  const match = /(^|\s)([@#])([^\s@]*)$/.exec(text.slice(0, caret));
  if (match === null) return null;
  const query = match[3] ?? '';
  const start = caret - query.length - 1;
  if (match[2] === '#')
    return SELECTION.startsWith(`#${query}`) ? { start, query: `#${query}` } : null;
  return { start, query };
}

/** Whether a row found for a shorter name may still be meant: the letters typed stand in it, in order. */
export function mayMean(label: string, query: string): boolean {
  const name = label.toLowerCase();
  let at = 0;
  for (const letter of query.toLowerCase()) {
    at = name.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

/** The text with the mark being typed replaced by a chosen one, and where the caret goes. */
export function withMark(
  text: string,
  start: number,
  caret: number,
  mark: string,
): { readonly text: string; readonly caret: number } {
  const rest = text.slice(caret).replace(/^ /, '');
  const before = `${text.slice(0, start)}${mark} `;
  return { text: before + rest, caret: before.length };
}

/** What a mark stands for, as far as it matters here. */
interface Marked {
  readonly label: string;
}

/**
 * Whether a mark still stands in the text as a word of its own, or as words: files have spaces, so
 * the marks of all that is attached tell where one is only the start of a longer one.
 */
export function mentions(text: string, mark: string, attached: readonly Marked[] = []): boolean {
  return standing(text, mark, attached).length > 0;
}

/** The text without a mark and one space beside it; what else is there, like code, stays as it is. */
export function withoutMark(text: string, mark: string, attached: readonly Marked[] = []): string {
  let kept = '';
  let end = 0;
  for (const start of standing(text, mark, attached)) {
    kept += text.slice(end, start);
    end = start + mark.length;
    if (/\S $/.test(kept.slice(-2))) kept = kept.slice(0, -1);
    else if (text[end] === ' ') end += 1;
  }
  return kept + text.slice(end);
}

/** Where a mark stands, and no longer one. */
function standing(text: string, mark: string, attached: readonly Marked[]): readonly number[] {
  const marks = [mark, ...attached.map(({ label }) => label)].sort(
    (one, other) => other.length - one.length,
  );
  const literals = marks.map((one) => one.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const anyOf = new RegExp(`(?<=^|\\s)(?:${literals.join('|')})(?=[,.;:!?)]*(?:\\s|$))`, 'g');
  return [...text.matchAll(anyOf)].filter(([found]) => found === mark).map(({ index }) => index);
}

/**
 * The names after `@` that were typed and not chosen from a list, each once: attached ones are left
 * out, and code in fences, where such a word is no reference.
 */
export function typedNames(text: string, attached: readonly Marked[]): readonly string[] {
  const prose = text.replace(/^```[^]*?(?:^```|(?![^]))/gm, '');
  const rest = attached.reduce((left, { label }) => withoutMark(left, label, attached), prose);
  const names = [...rest.matchAll(/(?<=^|\s)@(\S+)/g)].map(([, word = '']) =>
    word.replace(/[,.;:!?)，。；：！？）]+$/, ''),
  );
  return [...new Set(names)].filter((name) => name !== '');
}

/** The path and the lines, from 1, that a name such as `a.py:3-7` means. */
export function pathAndLines(name: string): {
  readonly path: string;
  readonly lines: readonly [number, number] | null;
} {
  const [, path = name, first, last = first] = /^(.+):(\d{1,7})(?:-(\d{1,7}))?$/.exec(name) ?? [];
  return { path, lines: first === undefined ? null : [Number(first), Number(last)] };
}

export interface Place {
  readonly start: number;
  readonly end: number;
  readonly path: string;
  readonly line: number;
}

// A relative path with a suffix and, where a line follows, a colon: `src/app.py:12`, `a.ts:3:7`.
const PLACE =
  /(?<![\w/:.@-])((?:[\w.-]+\/)*[\w-][\w.-]*\.[A-Za-z]\w{0,9}):(\d{1,7})(?::\d+)?(?![\w/])/g;

/** The places named in a text, in order. */
export function placesIn(text: string): readonly Place[] {
  return [...text.matchAll(PLACE)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    path: match[1] ?? '',
    line: Number(match[2]),
  }));
}
