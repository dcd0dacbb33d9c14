/**
 * The methods of `protocol.ts`, typed. The library of the language client is loaded with the first
 * server and not before: evaluating it takes longer than all the rest of the extension.
 */

import type { CancellationToken } from 'vscode';
import { l10n } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

import { isDisconnected } from './disconnected';
import type {
  ApproveParams,
  ApproveResult,
  ChatParams,
  ChatResult,
  CodeAction,
  Conversation,
  ConversationSummary,
  EditedFileDigest,
  DiagnosticsParams,
  ExplainParams,
  StatusParams,
  SymbolInformation,
} from './protocol';

interface ConversationId {
  readonly conversationId: string;
}

class Request<Params, Result> {
  constructor(readonly method: string) {}

  /** Rejects with a sentence where the server is gone. */
  async send(client: LanguageClient, params: Params, token?: CancellationToken): Promise<Result> {
    try {
      return token === undefined
        ? await client.sendRequest<Result>(this.method, params)
        : await client.sendRequest<Result>(this.method, params, token);
    } catch (error) {
      if (!isDisconnected(error)) throw error;
      throw new Error(l10n.t('The server stopped meanwhile. Try again.'), { cause: error });
    }
  }

  /** Answer what the server asks. */
  answer(
    client: LanguageClient,
    handler: (params: Params, token: CancellationToken) => Promise<Result>,
  ): void {
    client.onRequest(this.method, handler);
  }
}

class Notification<Params> {
  constructor(readonly method: string) {}

  send(client: LanguageClient, params: Params): Promise<void> {
    return client.sendNotification(this.method, params);
  }

  /** Hear what the server tells. */
  hear(client: LanguageClient, handler: (params: Params) => void): void {
    client.onNotification(this.method, handler);
  }
}

export const chat = new Request<ChatParams, ChatResult>('quillon/chat');
export const editCheck = new Request<{ readonly files: readonly EditedFileDigest[] }, null>(
  'quillon/edit/check',
);
export const symbols = new Request<{ readonly query: string }, readonly SymbolInformation[]>(
  'quillon/symbols',
);
export const resolveAction = new Request<CodeAction, CodeAction>('codeAction/resolve');
export const approve = new Request<ApproveParams, ApproveResult>('quillon/approve');
export const status = new Notification<StatusParams>('quillon/status');
export const statusGet = new Request<object, StatusParams>('quillon/status/get');
export const diagnostics = new Notification<DiagnosticsParams>('quillon/diagnostics');
export const explain = new Notification<ExplainParams>('quillon/explain');

export const conversations = {
  list: new Request<{ readonly query: string }, readonly ConversationSummary[]>(
    'quillon/conversations/list',
  ),
  get: new Request<ConversationId, Conversation>('quillon/conversations/get'),
  rename: new Request<ConversationId & { readonly title: string }, null>(
    'quillon/conversations/rename',
  ),
  delete: new Request<ConversationId, null>('quillon/conversations/delete'),
  export: new Request<ConversationId, { readonly markdown: string }>(
    'quillon/conversations/export',
  ),
};
