/** What a proposed edit does to each file: its text before and after. */

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

import type { WorkspaceEdit } from '../protocol';

export interface EditedFile {
  readonly uri: vscode.Uri;
  readonly before: string;
  readonly after: string;
  /** The edit makes the file. */
  readonly created: boolean;
}

/** Throws a sentence when a document has moved on since the edit was proposed. */
export async function filesOf(
  client: LanguageClient,
  edit: WorkspaceEdit,
): Promise<readonly EditedFile[]> {
  const converted = await convert(client, edit);
  const created = new Set(
    (edit.documentChanges ?? [])
      .filter((change) => change.kind === 'create' && change.uri !== undefined)
      .map((change) => vscode.Uri.parse(change.uri ?? '').toString()),
  );
  const files = converted.entries().map(async ([uri, edits]) => {
    const isNew = created.has(uri.toString());
    const before = isNew ? '' : (await vscode.workspace.openTextDocument(uri)).getText();
    return { uri, before, after: applied(before, edits), created: isNew };
  });
  return Promise.all(files);
}

/** The text of a file as it is now; throws a sentence when there is no such file any more. */
export async function currentText(uri: vscode.Uri): Promise<string> {
  try {
    return (await vscode.workspace.openTextDocument(uri)).getText();
  } catch {
    throw new Error(hasChanged(uri));
  }
}

/** The edit as the editor has it, without its annotations: the user decides in the review. */
export async function convert(
  client: LanguageClient,
  edit: WorkspaceEdit,
): Promise<vscode.WorkspaceEdit> {
  for (const change of edit.documentChanges ?? []) checkVersion(change.textDocument);
  type Lsp = Parameters<typeof client.protocol2CodeConverter.asWorkspaceEdit>[0];
  const converted = await client.protocol2CodeConverter.asWorkspaceEdit(unannotated(edit) as Lsp);
  if (converted === undefined) throw new Error(refused());
  return converted;
}

export function refused(): string {
  return vscode.l10n.t('The editor did not apply the change.');
}

export function hasChanged(uri: vscode.Uri): string {
  const name = vscode.workspace.asRelativePath(uri);
  return vscode.l10n.t('{0} has changed since this was proposed. Ask again.', name);
}

function unannotated(edit: WorkspaceEdit): WorkspaceEdit {
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

function checkVersion(
  target: { readonly uri: string; readonly version?: number | null } | undefined,
): void {
  if (target === undefined || typeof target.version !== 'number') return;
  const uri = vscode.Uri.parse(target.uri).toString();
  const open = vscode.workspace.textDocuments.find((one) => one.uri.toString() === uri);
  if (open !== undefined && open.version !== target.version) throw new Error(hasChanged(open.uri));
}

export function applied(text: string, edits: readonly vscode.TextEdit[]): string {
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
