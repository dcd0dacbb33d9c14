/** Proposed edits: applied whole, or reviewed hunk by hunk in the editor's own preview. */

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

import { hunksBetween } from './hunks';
import type { WorkspaceEdit } from './protocol';

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
  const converted = await convert(client, confirmedAlready(edit));
  if (!(await vscode.workspace.applyEdit(converted))) throw new Error(refused());
}

/**
 * Show an edit in the refactor preview, where each hunk is ticked to accept it. Resolves with
 * whether any was.
 */
export async function reviewEdit(
  client: LanguageClient,
  edit: WorkspaceEdit,
  label: string,
): Promise<boolean> {
  const converted = await convert(client, confirmedAlready(edit));
  const review = new vscode.WorkspaceEdit();
  for (const change of edit.documentChanges ?? []) {
    if (change.kind === 'create' && change.uri !== undefined) {
      const created = vscode.Uri.parse(change.uri);
      review.createFile(created, { ignoreIfExists: true }, confirmed(label));
    }
  }
  const texts: (readonly [vscode.Uri, string])[] = [];
  for (const [uri, edits] of converted.entries()) {
    const before = await textOf(uri);
    texts.push([uri, before]);
    addHunks(review, uri, before, applied(before, edits), label);
  }
  await vscode.workspace.applyEdit(review);
  const after = await Promise.all(texts.map(async ([uri]) => textOf(uri)));
  return texts.some(([, before], index) => before !== after[index]);
}

/** The edit without its annotations: the user has been asked in the chat. */
function confirmedAlready(edit: WorkspaceEdit): WorkspaceEdit {
  const { changeAnnotations: _, ...rest } = edit;
  if (rest.documentChanges === undefined) return rest;
  return {
    ...rest,
    documentChanges: rest.documentChanges.map(({ annotationId: _own, ...change }) =>
      change.edits === undefined
        ? change
        : { ...change, edits: change.edits.map(({ annotationId: _id, ...one }) => one) },
    ),
  };
}

/** Put code where the cursor is, in place of what is selected. */
export async function insertCode(editor: vscode.TextEditor, code: string): Promise<void> {
  const done = await editor.edit((builder) => builder.replace(editor.selection, code));
  if (!done) throw new Error(refused());
}

/** Review what `insertCode` would do. */
export async function reviewCode(editor: vscode.TextEditor, code: string): Promise<boolean> {
  const before = editor.document.getText();
  const edit = new vscode.TextEdit(editor.selection, code);
  const review = new vscode.WorkspaceEdit();
  const label = vscode.l10n.t('Code from the chat');
  addHunks(review, editor.document.uri, before, applied(before, [edit]), label);
  return vscode.workspace.applyEdit(review);
}

async function convert(client: LanguageClient, edit: WorkspaceEdit): Promise<vscode.WorkspaceEdit> {
  for (const change of edit.documentChanges ?? []) checkVersion(change.textDocument);
  type Lsp = Parameters<typeof client.protocol2CodeConverter.asWorkspaceEdit>[0];
  const converted = await client.protocol2CodeConverter.asWorkspaceEdit(edit as Lsp);
  if (converted === undefined) throw new Error(refused());
  return converted;
}

function checkVersion(
  target: { readonly uri: string; readonly version?: number | null } | undefined,
): void {
  if (target === undefined || typeof target.version !== 'number') return;
  const uri = vscode.Uri.parse(target.uri).toString();
  const open = vscode.workspace.textDocuments.find((one) => one.uri.toString() === uri);
  if (open !== undefined && open.version !== target.version) {
    throw new Error(
      vscode.l10n.t(
        '{0} has changed since this was proposed. Ask again.',
        vscode.workspace.asRelativePath(open.uri),
      ),
    );
  }
}

function addHunks(
  into: vscode.WorkspaceEdit,
  uri: vscode.Uri,
  before: string,
  after: string,
  label: string,
): void {
  for (const hunk of hunksBetween(before, after)) {
    const range = new vscode.Range(hunk.start, 0, hunk.end, 0);
    into.replace(uri, range, hunk.text, confirmed(label));
  }
}

function confirmed(label: string): vscode.WorkspaceEditEntryMetadata {
  return { needsConfirmation: true, label };
}

async function textOf(uri: vscode.Uri): Promise<string> {
  try {
    return (await vscode.workspace.openTextDocument(uri)).getText();
  } catch {
    // A file that the edit creates.
    return '';
  }
}

function applied(text: string, edits: readonly vscode.TextEdit[]): string {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  const offset = ({ line, character }: vscode.Position): number =>
    Math.min((starts[line] ?? text.length) + character, text.length);
  return [...edits]
    .sort((a, b) => offset(b.range.start) - offset(a.range.start))
    .reduce(
      (before, edit) =>
        before.slice(0, offset(edit.range.start)) +
        edit.newText +
        before.slice(offset(edit.range.end)),
      text,
    );
}

function refused(): string {
  return vscode.l10n.t('The editor did not apply the change.');
}
