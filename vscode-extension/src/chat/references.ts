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

/** Whether a mark still stands in the text as a word of its own, or as words: files have spaces. */
export function mentions(text: string, mark: string): boolean {
  return standing(mark).test(text);
}

/** The text without a mark. */
export function withoutMark(text: string, mark: string): string {
  return text.replace(standing(mark), '$1').replace(/ {2,}/g, ' ');
}

function standing(mark: string): RegExp {
  const literal = mark.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`(^|\\s)${literal}(?=[,.;:!?)]*(?:\\s|$))`, 'g');
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
