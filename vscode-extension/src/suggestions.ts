/**
 * What the language client asks on the way: silence, settings without the extension's own, code
 * actions that are worked out by a command, and where their progress is shown.
 */

import type { Middleware } from 'vscode-languageclient/node';

import { byCommand } from './actions';
import type { Snooze } from './snooze';
import type { Writing } from './writing';

export function middleware(
  snooze: Snooze,
  writing: Writing,
  settings: () => Record<string, unknown>,
): Middleware {
  return {
    handleWorkDoneProgress(token, told, next) {
      if (!writing.reports.takes(token, told)) next(token, told);
    },
    async provideCodeActions(document, range, context, token, next) {
      return (await next(document, range, context, token))?.map(byCommand);
    },
    provideInlineCompletionItems(document, position, context, token, next) {
      return snooze.active ? [] : next(document, position, context, token);
    },
    workspace: {
      async configuration(params, token, next) {
        const answers = await next(params, token);
        if (!Array.isArray(answers)) return answers;
        return params.items.map((item, index): unknown =>
          item.section === 'quillon' ? settings() : answers[index],
        );
      },
    },
  };
}
