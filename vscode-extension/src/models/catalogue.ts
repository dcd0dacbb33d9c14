/** What `quillon model` says: JSON lines, read without an editor. */

/** A model file on this machine. */
export interface Installed {
  readonly path: string;
  readonly source: 'settings' | 'environment' | 'embedded' | 'folder';
  readonly name: string;
  readonly quantisation: string;
  readonly size: number;
  readonly context: number;
  /** Why it cannot be used; null or empty where it can. */
  readonly problem: string | null;
}

/** A model that is worth downloading. */
export interface Recommended {
  readonly name: string;
  readonly title: string;
  readonly purpose: string;
  readonly size: number;
  readonly licence: string;
  readonly path: string;
  readonly pulled: boolean;
  readonly fits: boolean;
}

export type PullEvent =
  | { readonly event: 'found'; readonly size: number | null; readonly have: number }
  | { readonly event: 'progress'; readonly done: number; readonly total: number | null }
  | { readonly event: 'checking'; readonly done: number; readonly total: number }
  | { readonly event: 'retry'; readonly message: string }
  | { readonly event: 'pulled'; readonly setting?: string };

/** The JSON of each complete line; lines that are none are left out. */
export function jsonLines(text: string): readonly unknown[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line.trim() === '' ? [] : [JSON.parse(line) as unknown];
    } catch {
      return [];
    }
  });
}

/** Splits what a program writes into lines, whatever pieces it comes in. */
export class Lines {
  #rest = '';

  take(text: string): readonly unknown[] {
    const end = (this.#rest + text).lastIndexOf('\n');
    const all = this.#rest + text;
    this.#rest = all.slice(end + 1);
    return jsonLines(all.slice(0, end + 1));
  }
}

/** The last error among lines of JSON; null where there is none. */
export function errorIn(lines: readonly unknown[]): string | null {
  const last = lines.findLast(
    (line): line is { readonly error: string } =>
      typeof line === 'object' && line !== null && 'error' in line,
  );
  return last?.error ?? null;
}

/** A number of bytes for people, such as `2.5 GB`. */
export function bytes(count: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const index = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), units.length - 1);
  const value = count / 1000 ** index;
  return `${index === 0 ? value : value.toFixed(1)} ${units[index] ?? ''}`;
}

/** How much of a download came since the last time, in percent of the whole. */
export class Share {
  #shown = 0;

  step(done: number, total: number | null): number {
    if (total === null || total <= 0) return 0;
    const now = Math.min(100, (done / total) * 100);
    const step = Math.max(0, now - this.#shown);
    this.#shown = Math.max(this.#shown, now);
    return step;
  }
}
