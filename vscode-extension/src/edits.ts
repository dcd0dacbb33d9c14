/** Proposed edits: what they touch, and how they are applied whole. */

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

import type { WorkspaceEdit } from './protocol';
import type { EditedFile } from './review/files';
import { applied, convert, refused } from './review/files';

/** The files an edit touches, as the user knows them. */
export function fileNames(edit: WorkspaceEdit): readonly string[] {
  const uris = [
    ...Object.keys(edit.changes ?? {}),
    ...(edit.documentChanges ?? []).map(
      (change) => change.textDocument?.uri ?? change.newUri ?? change.uri,
    ),
  ];
  return [...new Set(uris.filter((uri) => uri !== undefined))].map((uri) =>
    vscode.workspace.asRelativePath(vscode.Uri.parse(uri)),
  );
}

/** Apply an edit; throws a sentence when a document has moved on since it was proposed. */
export async function applyEdit(client: LanguageClient, edit: WorkspaceEdit): Promise<void> {
  if (!(await vscode.workspace.applyEdit(await convert(client, edit)))) throw new Error(refused());
}

/** Put code where the cursor is, in place of what is selected. */
export async function insertCode(editor: vscode.TextEditor, code: string): Promise<void> {
  const done = await editor.edit((builder) => builder.replace(editor.selection, code));
  if (!done) throw new Error(refused());
}

/** What `insertCode` would do, for a review. */
export function insertion(editor: vscode.TextEditor, code: string): EditedFile {
  const { document, selection } = editor;
  const before = document.getText();
  const after = applied(before, [new vscode.TextEdit(selection, code)]);
  return { uri: document.uri, before, after, created: false };
}
