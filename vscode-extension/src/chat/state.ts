/** What the chat shows, and everything that can happen to it. Plain JSON: it crosses to the page. */

import type {
  ChatProgress,
  ChatUsage,
  Conversation,
  ConversationSummary,
  Decision,
  FinishReason,
  Range,
  StatusParams,
  ToolState,
} from '../protocol';

/** Something attached to a question: what the user reads, and where it is. */
export interface Candidate {
  readonly label: string;
  readonly detail: string;
  /** Empty where it is not known any more. */
  readonly uri: string;
  readonly range?: Range;
}

export interface TextBlock {
  readonly kind: 'text';
  readonly text: string;
}

export interface NoticeBlock {
  readonly kind: 'notice';
  readonly text: string;
}

/** The server waits for the user: exactly this will run. */
export interface Approval {
  readonly reason: string;
  readonly preview: string;
}

export interface ToolBlock {
  readonly kind: 'tool';
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly state: ToolState;
  readonly result: { readonly ok: boolean; readonly preview: string } | null;
  readonly approval: Approval | null;
}

export type EditState = 'proposed' | 'deciding' | 'applied' | 'partly' | 'discarded' | 'failed';

export interface EditBlock {
  readonly kind: 'edit';
  readonly id: string;
  readonly label: string;
  readonly files: readonly string[];
  readonly state: EditState;
  readonly problem: string;
}

export type Block = TextBlock | NoticeBlock | ToolBlock | EditBlock;

export interface Question {
  readonly kind: 'question';
  readonly text: string;
  readonly references: readonly Candidate[];
}

export interface Answer {
  readonly kind: 'answer';
  readonly blocks: readonly Block[];
  /** Null while it streams. */
  readonly outcome: Outcome | null;
}

export interface Outcome {
  readonly reason: FinishReason;
  readonly usage: ChatUsage | null;
  readonly problem: string;
}

export type Item = Question | Answer;

/** What the user can do about a server that does not run. */
export type Remedy = 'install' | 'settings' | 'restart' | 'log';

/** How the server is, as far as the chat can say something about it. */
export type Connection =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | {
      readonly kind: 'failed';
      readonly problem: string;
      /** The likeliest first. */
      readonly remedies: readonly Remedy[];
    };

export interface ConversationList {
  readonly open: boolean;
  readonly query: string;
  readonly rows: readonly ConversationSummary[];
}

export interface ChatState {
  readonly conversation: string | null;
  readonly title: string;
  readonly items: readonly Item[];
  readonly phase: 'idle' | 'asking' | 'stopping';
  readonly list: ConversationList;
  readonly status: StatusParams | null;
  readonly connection: Connection;
  /** The newest conversations, for the page that has none open. */
  readonly recent: readonly ConversationSummary[];
  /** A sentence about something that failed outside a turn; empty when nothing did. */
  readonly problem: string;
}

/** Progress that is shown as it is. */
export type ShownProgress = Exclude<ChatProgress, { kind: 'edit' } | { kind: 'conversation' }>;

export type ChatEvent =
  | {
      readonly type: 'asked';
      readonly text: string;
      readonly references: readonly Candidate[];
      /** So many questions stay; the new one replaces those after them. */
      readonly keep?: number;
    }
  | { readonly type: 'begun'; readonly conversation: string }
  | { readonly type: 'progress'; readonly value: ShownProgress }
  | {
      readonly type: 'editProposed';
      /** It was proposed before the conversation was left. */
      readonly before?: boolean;
      readonly id: string;
      readonly label: string;
      readonly files: readonly string[];
    }
  | {
      readonly type: 'editChanged';
      readonly id: string;
      readonly state: EditState;
      readonly problem: string;
    }
  | {
      readonly type: 'approvalAsked';
      readonly id: string;
      readonly name: string;
      readonly arguments: Readonly<Record<string, unknown>>;
      readonly approval: Approval;
    }
  | { readonly type: 'approvalSettled'; readonly id: string; readonly decision: Decision }
  | { readonly type: 'stopping' }
  | {
      readonly type: 'finished';
      readonly conversation: string | null;
      readonly text: string;
      readonly outcome: Outcome;
    }
  | { readonly type: 'broken'; readonly problem: string }
  | { readonly type: 'problem'; readonly text: string }
  | { readonly type: 'started' }
  | { readonly type: 'opened'; readonly conversation: Conversation }
  | {
      readonly type: 'listed';
      readonly query: string;
      readonly rows: readonly ConversationSummary[];
    }
  | { readonly type: 'listClosed' }
  | { readonly type: 'recent'; readonly rows: readonly ConversationSummary[] }
  | { readonly type: 'renamed'; readonly conversation: string; readonly title: string }
  | { readonly type: 'status'; readonly status: StatusParams }
  | { readonly type: 'connection'; readonly connection: Connection };

export const emptyChat: ChatState = {
  conversation: null,
  title: '',
  items: [],
  phase: 'idle',
  list: { open: false, query: '', rows: [] },
  status: null,
  connection: { kind: 'starting' },
  recent: [],
  problem: '',
};
