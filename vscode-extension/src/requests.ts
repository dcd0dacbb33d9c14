/** The methods of `protocol.ts` as the language client wants them. */

import { NotificationType, ProgressType, RequestType } from 'vscode-languageclient/node';

import type {
  ApproveParams,
  ApproveResult,
  ChatParams,
  ChatProgress,
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

export const chat = new RequestType<ChatParams, ChatResult, void>('quillon/chat');
export const chatProgress = new ProgressType<ChatProgress>();
export const editCheck = new RequestType<
  { readonly files: readonly EditedFileDigest[] },
  null,
  void
>('quillon/edit/check');
export const symbols = new RequestType<
  { readonly query: string },
  readonly SymbolInformation[],
  void
>('quillon/symbols');
export const resolveAction = new RequestType<CodeAction, CodeAction, void>('codeAction/resolve');
export const approve = new RequestType<ApproveParams, ApproveResult, void>('quillon/approve');
export const status = new NotificationType<StatusParams>('quillon/status');
export const statusGet = new RequestType<object, StatusParams, void>('quillon/status/get');
export const diagnostics = new NotificationType<DiagnosticsParams>('quillon/diagnostics');
export const explain = new NotificationType<ExplainParams>('quillon/explain');

export const conversations = {
  list: new RequestType<{ readonly query: string }, readonly ConversationSummary[], void>(
    'quillon/conversations/list',
  ),
  get: new RequestType<ConversationId, Conversation, void>('quillon/conversations/get'),
  rename: new RequestType<ConversationId & { readonly title: string }, null, void>(
    'quillon/conversations/rename',
  ),
  delete: new RequestType<ConversationId, null, void>('quillon/conversations/delete'),
  export: new RequestType<ConversationId, { readonly markdown: string }, void>(
    'quillon/conversations/export',
  ),
};
