/**
 * Quillon's own protocol, as `quillon/protocol.py` defines it. Types only: the chat page and the
 * tests share them without a language client.
 */

export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** A file, or a part of one, that is attached to a question. */
export interface Reference {
  readonly uri: string;
  readonly range?: Range;
}

export interface ChatParams {
  readonly text: string;
  readonly conversationId?: string;
  readonly references?: readonly Reference[];
  readonly partialResultToken?: string;
  /** So many turns of the conversation stay; the question replaces those after them. */
  readonly keepTurns?: number;
}

export interface ChatUsage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly tokensPerSecond: number;
}

export type FinishReason = 'stop' | 'length' | 'cancelled' | 'toolLimit' | 'error';

export interface ChatResult {
  readonly conversationId: string;
  readonly turnId: string;
  readonly finishReason: FinishReason;
  readonly usage: ChatUsage;
  readonly text: string;
}

export type ToolState = 'proposed' | 'running' | 'done' | 'failed' | 'denied';

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly state: ToolState;
}

/** A file that an edit changes, and the digest of the text it was made for; null: it is made. */
export interface EditedFileDigest {
  readonly uri: string;
  readonly digest: string | null;
}

export type ChatProgress =
  | { readonly kind: 'conversation'; readonly conversationId: string }
  | { readonly kind: 'text'; readonly text: string }
  | ({ readonly kind: 'toolCall' } & ToolCall)
  | {
      readonly kind: 'toolResult';
      readonly id: string;
      readonly ok: boolean;
      readonly preview: string;
    }
  | {
      readonly kind: 'edit';
      readonly id: string;
      readonly label: string;
      readonly edit: WorkspaceEdit;
      readonly files?: readonly EditedFileDigest[];
    }
  | { readonly kind: 'notice'; readonly text: string };

/** What the extension reads of an LSP `WorkspaceEdit`; the language client converts the whole. */
export interface WorkspaceEdit {
  readonly changes?: Readonly<Record<string, readonly TextEdit[]>>;
  readonly documentChanges?: readonly DocumentChange[];
  readonly changeAnnotations?: Readonly<Record<string, object>>;
}

export interface TextEdit {
  readonly range: Range;
  readonly newText: string;
  readonly annotationId?: string;
}

export interface DocumentChange {
  readonly kind?: 'create' | 'rename' | 'delete';
  readonly uri?: string;
  readonly newUri?: string;
  readonly textDocument?: { readonly uri: string; readonly version?: number | null };
  readonly edits?: readonly TextEdit[];
  readonly annotationId?: string;
}

/** A code action of the server's list, and what it changes once it is resolved. */
export interface CodeAction {
  readonly title: string;
  readonly kind?: string;
  readonly data?: unknown;
  readonly edit?: WorkspaceEdit;
}

export interface SymbolInformation {
  readonly name: string;
  readonly uri: string;
  readonly range: Range;
}

export interface ApproveParams {
  readonly callId: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly reason: string;
  readonly preview?: string;
}

export type Decision = 'once' | 'session' | 'deny';

export interface ApproveResult {
  readonly decision: Decision;
  readonly reason?: string;
}

export type EngineState = 'absent' | 'downloading' | 'loading' | 'ready' | 'busy' | 'failed';

export interface StatusParams {
  readonly state: EngineState;
  readonly model: string;
  readonly message: string;
  readonly embedded: boolean;
  readonly context: number;
  readonly tokensPerSecond: number;
  readonly progress: number | null;
  readonly noSuggestion: string | null;
  readonly echoed: boolean;
}

export interface ConversationSummary {
  readonly conversationId: string;
  readonly title: string;
  readonly updated: string;
  readonly turns: number;
}

export interface ConversationMessage {
  readonly role: 'user' | 'assistant' | 'tool';
  readonly text?: string;
  /** What was attached to a question: paths, perhaps with lines. */
  readonly attached?: readonly string[];
  readonly toolCalls?: readonly ToolCall[];
  readonly toolCallId?: string;
  readonly ok?: boolean;
}

export interface Conversation {
  readonly conversationId: string;
  readonly title: string;
  readonly updated: string;
  readonly messages: readonly ConversationMessage[];
}

export interface ExplainParams {
  readonly text: string;
  readonly references?: readonly Reference[];
}

/** A problem that another tool reported; `severity` is 1 (error) to 4 (hint). */
export interface Diagnostic {
  readonly range: Range;
  readonly message: string;
  readonly severity: number;
  readonly source?: string;
  readonly code?: string | number;
}

export interface DiagnosticsParams {
  readonly uri: string;
  readonly diagnostics: readonly Diagnostic[];
}
