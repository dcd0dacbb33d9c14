/** What the model writes for an action is shown while it is written, and can be stopped. */

import * as vscode from 'vscode';
import type {
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from 'vscode-languageclient/node';

type Told = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

export class Writing {
  #report: ((message: string) => void) | null = null;

  /** The result of a request; rejects when the user stopped it. */
  run<Result>(
    title: string,
    request: (token: vscode.CancellationToken) => Promise<Result>,
  ): Promise<Result> {
    const location = vscode.ProgressLocation.Notification;
    const shown = vscode.window.withProgress(
      { location, title, cancellable: true },
      async (progress, token) => {
        const report = (message: string): void => progress.report({ message });
        this.#report = report;
        try {
          return await request(token);
        } finally {
          if (this.#report === report) this.#report = null;
        }
      },
    );
    return Promise.resolve(shown);
  }

  /**
   * Take what the server says of its progress: the status bar, where it would be shown otherwise,
   * has no way to stop anything. False where it is to be shown there.
   */
  takes(told: Told): boolean {
    if (this.#report === null || told.kind === 'end') return false;
    if (told.message !== undefined) this.#report(told.message);
    return true;
  }
}
