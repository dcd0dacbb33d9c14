/**
 * Code actions whose edit the model writes. The editor may resolve an action by itself, but lists
 * the actions anew whenever the cursor moves, and then drops what a slow answer to the older list
 * wants to do. So a command of our own asks for the edit: what was chosen happens, or says why not.
 */

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

import { reviewsActions } from './config';
import { applyEdit } from './edits';
import type { CodeAction } from './protocol';
import * as requests from './requests';
import { filesOf, refused } from './review/files';
import type { Reviews } from './review/reviews';
import type { Writing } from './writing';

export const RUN = 'quillon.runAction';

/** An action of the menu; one whose edit is still to be written gets a command that has it written. */
export function byCommand<Action extends vscode.Command | vscode.CodeAction>(
  action: Action,
): Action {
  if (!(action instanceof vscode.CodeAction) || !('data' in action)) return action;
  const { title, data, kind } = action;
  if (data === undefined || action.edit !== undefined || action.command !== undefined)
    return action;
  const asked: CodeAction = { title, data, ...(kind && { kind: kind.value }) };
  action.command = { title, command: RUN, arguments: [asked] };
  // With an edit, even an empty one, the editor does not resolve it.
  action.edit = new vscode.WorkspaceEdit();
  return action;
}

/** Have the edit written, and show it before it is applied, or apply it, as the settings say. */
export async function runAction(
  client: LanguageClient,
  reviews: Reviews,
  writing: Writing,
  action: CodeAction,
): Promise<void> {
  const { edit } = await writing.run(action.title, (token) =>
    requests.resolveAction.send(client, action, token),
  );
  if (edit === undefined) throw new Error(refused());
  if (reviewsActions()) await reviews.review(await filesOf(client, edit));
  else await applyEdit(client, edit);
}
