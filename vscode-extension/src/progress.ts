/** What the server says of its progress, told to the request that it is about. */

import type {
  ProgressToken,
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from 'vscode-languageclient/node';

type Told = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;
type Report = (message: string) => void;

export class Reports {
  /** Requests of which the server has not begun to tell, the oldest first. */
  readonly #expected: { readonly title: string; readonly report: Report }[] = [];
  readonly #told = new Map<ProgressToken, Report>();

  /** Tell of the next progress that begins under a title, until the function that is given is called. */
  expect(title: string, report: Report): () => void {
    const one = { title, report };
    this.#expected.push(one);
    return () => {
      const place = this.#expected.indexOf(one);
      if (place >= 0) this.#expected.splice(place, 1);
      for (const [token, told] of this.#told) if (told === report) this.#told.delete(token);
    };
  }

  /** False where what is told is of something else, or its end: then the client goes on with it. */
  takes(token: ProgressToken, told: Told): boolean {
    if (told.kind === 'begin') this.#begin(token, told.title);
    const report = this.#told.get(token);
    if (report === undefined || told.kind === 'end') return false;
    if (told.message !== undefined) report(told.message);
    return true;
  }

  #begin(token: ProgressToken, title: string): void {
    const place = this.#expected.findIndex((one) => one.title === title);
    const [one] = place >= 0 ? this.#expected.splice(place, 1) : [];
    if (one !== undefined) this.#told.set(token, one.report);
  }
}
