/** The stored conversations: renamed, deleted and exported, the user asked where it matters. */

import * as vscode from 'vscode';

import * as requests from '../requests';
import type { Server } from '../server';
import type { ChatConversation } from './conversation';

export class Library {
  constructor(
    private readonly server: Server,
    private readonly conversation: ChatConversation,
  ) {}

  /** The conversation that is shown; throws a sentence when there is none yet. */
  get shown(): string {
    const { conversation } = this.conversation.state;
    if (conversation === null) {
      throw new Error(vscode.l10n.t('There is no conversation yet. Ask a question first.'));
    }
    return conversation;
  }

  async rename(conversation: string): Promise<void> {
    const title = await vscode.window.showInputBox({
      title: vscode.l10n.t('Rename the conversation'),
      value: this.#titleOf(conversation),
      validateInput: (text) => (text.trim() === '' ? vscode.l10n.t('Type a name.') : null),
    });
    if (title !== undefined) await this.conversation.rename(conversation, title.trim());
  }

  async delete(conversation: string): Promise<void> {
    const remove = vscode.l10n.t('Delete');
    const text = vscode.l10n.t('Delete the conversation “{0}”?', this.#titleOf(conversation));
    const detail = vscode.l10n.t('It cannot be brought back.');
    const choice = await vscode.window.showWarningMessage(text, { modal: true, detail }, remove);
    if (choice === remove) await this.conversation.delete(conversation);
  }

  async export(conversationId: string): Promise<void> {
    const { client } = this.server;
    const exported = await requests.conversations.export.send(client, { conversationId });
    const document = await vscode.workspace.openTextDocument({
      language: 'markdown',
      content: exported.markdown,
    });
    await vscode.window.showTextDocument(document);
  }

  #titleOf(conversation: string): string {
    const { state } = this.conversation;
    if (conversation === state.conversation) return state.title;
    const rows = [...state.list.rows, ...state.recent];
    return rows.find((row) => row.conversationId === conversation)?.title ?? '';
  }
}
