/**
 * What the language client asks on the way: silence, settings without the extension's own, and a
 * review of what a code action would change.
 */

import type { CodeAction, Middleware } from 'vscode-languageclient/node';

import { reviewsActions } from './config';
import type { Snooze } from './snooze';

export function middleware(snooze: Snooze, settings: () => Record<string, unknown>): Middleware {
  return {
    async sendRequest(type, param, token, next) {
      const answer = await next(type, param, token);
      return isResolve(type) && reviewsActions() ? toReview(answer) : answer;
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

function isResolve(type: string | { readonly method: string }): boolean {
  return (typeof type === 'string' ? type : type.method) === 'codeAction/resolve';
}

/** The action with a command that shows its edit, in place of the edit. */
function toReview<Answer>(answer: Answer): Answer {
  const { edit, ...action } = answer as CodeAction;
  if (edit === undefined) return answer;
  const command = { title: action.title, command: 'quillon.reviewAction', arguments: [edit] };
  return { ...action, command } as Answer;
}
