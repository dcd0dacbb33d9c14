/** What the model writes for an action is shown while it is written, and can be stopped. */

import * as vscode from 'vscode';

import { Reports } from './progress';

export class Writing {
  /** Shown here, as the status bar, where they would be shown otherwise, has no way to stop anything. */
  readonly reports = new Reports();

  /**
   * The result of a request of which the server tells under its title; rejects when the user
   * stopped it.
   */
  run<Result>(
    title: string,
    request: (token: vscode.CancellationToken) => Promise<Result>,
  ): Promise<Result> {
    const location = vscode.ProgressLocation.Notification;
    const shown = vscode.window.withProgress(
      { location, title, cancellable: true },
      async (progress, token) => {
        const forget = this.reports.expect(title, (message) => progress.report({ message }));
        try {
          return await request(token);
        } finally {
          forget();
        }
      },
    );
    return Promise.resolve(shown);
  }
}
