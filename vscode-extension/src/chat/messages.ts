/** What the chat page and its host say to each other. */

import type { Decision } from '../protocol';
import type { Candidate, ChatEvent, ChatState, Remedy } from './state';
import type { Strings } from './strings';

/** A question that is being written. */
export interface Draft {
  readonly text: string;
  readonly attached: readonly Candidate[];
  /** The question replaces the one with this number, from 0, and what follows it. */
  readonly keep?: number;
  /** What was being written before it. */
  readonly before?: Pick<Draft, 'text' | 'attached'>;
}

export type ToPage =
  | {
      readonly type: 'state';
      readonly state: ChatState;
      readonly strings: Strings;
      readonly draft: Draft;
    }
  | { readonly type: 'event'; readonly event: ChatEvent }
  | { readonly type: 'candidates'; readonly request: number; readonly rows: readonly Candidate[] }
  | { readonly type: 'attach'; readonly candidate: Candidate }
  | { readonly type: 'focus' };

export type EditAction = 'apply' | 'review' | 'discard';
export type CodeAction = 'copy' | 'insert' | 'review';

export type FromPage =
  | { readonly type: 'ready' }
  | { readonly type: 'ask'; readonly draft: Draft }
  | { readonly type: 'draft'; readonly draft: Draft }
  | { readonly type: 'stop' }
  | { readonly type: 'new' }
  | { readonly type: 'list'; readonly query: string }
  | { readonly type: 'search'; readonly query: string }
  | { readonly type: 'closeList' }
  /** The problem in the banner was read. */
  | { readonly type: 'dismiss' }
  | { readonly type: 'rename'; readonly conversation: string }
  | { readonly type: 'open'; readonly conversation: string }
  | { readonly type: 'delete'; readonly conversation: string }
  | { readonly type: 'export'; readonly conversation: string }
  | {
      readonly type: 'approve';
      readonly id: string;
      readonly decision: Decision;
      readonly reason: string;
    }
  | { readonly type: 'edit'; readonly id: string; readonly action: EditAction }
  | { readonly type: 'code'; readonly text: string; readonly action: CodeAction }
  | { readonly type: 'place'; readonly path: string; readonly line: number }
  | { readonly type: 'show'; readonly candidate: Candidate }
  | { readonly type: 'model' }
  | { readonly type: 'complete'; readonly request: number; readonly query: string }
  | { readonly type: 'remedy'; readonly remedy: Remedy };
