/** What the language client asks on the way: silence, and settings without the extension's own. */

import type { Middleware } from 'vscode-languageclient/node';

import type { Snooze } from './snooze';

export function middleware(snooze: Snooze, settings: () => Record<string, unknown>): Middleware {
  return {
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
