/** What the chat does to documents: edits applied or reviewed, code copied and inserted. */

import * as vscode from 'vscode';

import { applyEdit, insertCode, insertion } from '../edits';
import { filesOf } from '../review/files';
import type { Outcome, Reviews } from '../review/reviews';
import * as requests from '../requests';
import type { Server } from '../server';
import type { ProposedEdit } from './conversation';
import type { CodeAction } from './messages';
import { openPlace } from './places';
import type { Candidate, EditState } from './state';

export class Deeds {
  constructor(
    private readonly server: Server,
    private readonly reviews: Reviews,
  ) {}

  async apply({ edit, files }: ProposedEdit): Promise<EditState> {
    await this.#check(files);
    await applyEdit(this.server.client, edit);
    return 'applied';
  }

  async review({ edit, files }: ProposedEdit): Promise<EditState> {
    await this.#check(files);
    return decided(await this.reviews.review(await filesOf(this.server.client, edit)));
  }

  async code(text: string, action: CodeAction): Promise<void> {
    if (action === 'copy') return vscode.env.clipboard.writeText(text);
    const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
    if (editor === undefined) {
      throw new Error(vscode.l10n.t('Open a file first; the code goes where its cursor is.'));
    }
    if (action === 'insert') await insertCode(editor, text);
    else await this.reviews.review([insertion(editor, text)]);
  }

  async place(path: string, line: number): Promise<void> {
    if (await openPlace(path, line)) return;
    throw new Error(vscode.l10n.t('The workspace has no file {0}.', path));
  }

  /** Show what is attached to a question. */
  async show({ label, uri, range }: Candidate): Promise<void> {
    if (uri === '') {
      const [path = '', line = '1'] = label.replace(/^@/, '').split(':');
      return this.place(path, Number.parseInt(line, 10));
    }
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
    const editor = await vscode.window.showTextDocument(document);
    if (range === undefined) return;
    const { start, end } = range;
    const at = new vscode.Range(start.line, start.character, end.line, end.character);
    editor.selection = new vscode.Selection(at.start, at.end);
    editor.revealRange(at, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  /** Rejects with the server's sentence when a file is not what the edit was made for. */
  async #check(files: ProposedEdit['files']): Promise<void> {
    if (files.length === 0) return;
    await requests.editCheck.send(this.server.client, { files });
  }
}

function decided({ accepted, discarded, open }: Outcome): EditState {
  if (open > 0 && accepted === 0) return 'proposed';
  if (accepted === 0) return 'discarded';
  return open + discarded === 0 ? 'applied' : 'partly';
}
