/**
 * One chat window's conversation: it owns the state, asks the server and answers approvals.
 * It knows neither the editor nor the page; both are given to it.
 */

import type {
  ApproveParams,
  ApproveResult,
  ChatParams,
  ChatProgress,
  ChatResult,
  Conversation,
  ConversationSummary,
  Decision,
  Reference,
  WorkspaceEdit,
} from '../protocol';
import { reduce } from './reducer';
import type { ChatEvent, ChatState } from './state';
import { emptyChat } from './state';

/** The part of the server that a conversation talks to. Every call may reject. */
export interface ChatServer {
  chat(
    params: ChatParams,
    progress: (value: ChatProgress) => void,
    stop: AbortSignal,
  ): Promise<ChatResult>;
  list(query: string): Promise<readonly ConversationSummary[]>;
  get(conversation: string): Promise<Conversation>;
  delete(conversation: string): Promise<void>;
}

export interface ChatListeners {
  /** Called after every change, with what changed. */
  changed(event: ChatEvent): void;
  /** The conversation that a reload should bring back. */
  remember(conversation: string | null): void;
}

export class ChatConversation {
  #state: ChatState = emptyChat;
  #stop: AbortController | null = null;
  readonly #edits = new Map<string, WorkspaceEdit>();
  readonly #approvals = new Map<string, (result: ApproveResult) => void>();

  constructor(
    readonly server: ChatServer,
    readonly listeners: ChatListeners,
    readonly fileNames: (edit: WorkspaceEdit) => readonly string[],
  ) {}

  get state(): ChatState {
    return this.#state;
  }

  dispatch(event: ChatEvent): void {
    this.#state = reduce(this.#state, event);
    this.listeners.changed(event);
  }

  /** The edit behind a card, while the card is shown. */
  edit(id: string): WorkspaceEdit | undefined {
    return this.#edits.get(id);
  }

  /** Ask one question; resolves when its turn has ended, however it ended. */
  async ask(
    text: string,
    references: readonly Reference[],
    labels: readonly string[],
  ): Promise<void> {
    if (this.#state.phase !== 'idle' || text.trim() === '') return;
    const stop = new AbortController();
    this.#stop = stop;
    this.dispatch({ type: 'asked', text, references: labels });
    const conversation = this.#state.conversation;
    const params: ChatParams = {
      text,
      references,
      ...(conversation === null ? {} : { conversationId: conversation }),
    };
    try {
      const result = await this.server.chat(
        params,
        (value) => this.#advance(stop, value),
        stop.signal,
      );
      if (this.#stop !== stop) return;
      const { conversationId, finishReason, usage } = result;
      const outcome = { reason: finishReason, usage, problem: '' };
      this.dispatch({ type: 'finished', conversation: conversationId, text: result.text, outcome });
      this.listeners.remember(conversationId);
    } catch (error) {
      if (this.#stop === stop) await this.#unanswered(stop, error);
    } finally {
      if (this.#stop === stop) this.#settle();
    }
  }

  stop(): void {
    if (this.#stop === null) return;
    this.dispatch({ type: 'stopping' });
    this.#stop.abort();
    this.#denyAll();
  }

  /** Ask the user whether a call may run. An aborted question is a denied one. */
  approve(params: ApproveParams, gone: AbortSignal): Promise<ApproveResult> {
    if (this.#stop === null || this.#stop.signal.aborted || gone.aborted) {
      return Promise.resolve({ decision: 'deny', reason: 'the turn was stopped' });
    }
    return new Promise((resolve) => {
      this.#approvals.set(params.callId, resolve);
      gone.addEventListener('abort', () => this.decide(params.callId, 'deny', ''), { once: true });
      this.dispatch({
        type: 'approvalAsked',
        id: params.callId,
        name: params.tool,
        arguments: params.arguments,
        approval: { reason: params.reason, preview: params.preview ?? '' },
      });
    });
  }

  decide(id: string, decision: Decision, reason: string): void {
    const resolve = this.#approvals.get(id);
    if (resolve === undefined) return;
    this.#approvals.delete(id);
    this.dispatch({ type: 'approvalSettled', id, decision });
    resolve(reason === '' ? { decision } : { decision, reason });
  }

  startNew(): void {
    this.#leave();
    this.dispatch({ type: 'started' });
    this.listeners.remember(null);
  }

  async list(query: string): Promise<void> {
    try {
      this.dispatch({ type: 'listed', query, rows: await this.server.list(query) });
    } catch (error) {
      this.#complain(error);
    }
  }

  async open(conversation: string): Promise<void> {
    try {
      const stored = await this.server.get(conversation);
      this.#leave();
      this.dispatch({ type: 'opened', conversation: stored });
      this.listeners.remember(conversation);
    } catch (error) {
      this.listeners.remember(null);
      this.#complain(error);
    }
  }

  async delete(conversation: string): Promise<void> {
    try {
      await this.server.delete(conversation);
    } catch (error) {
      this.#complain(error);
      return;
    }
    const { query } = this.#state.list;
    if (conversation === this.#state.conversation) this.startNew();
    await this.list(query);
  }

  /** The server is gone: what streams is broken, nothing is asked any more. */
  lost(problem: string): void {
    if (this.#stop === null) return;
    this.dispatch({ type: 'broken', problem });
    this.#settle();
  }

  #advance(stop: AbortController, value: ChatProgress): void {
    if (this.#stop !== stop) return;
    if (value.kind !== 'edit') {
      this.dispatch({ type: 'progress', value });
      return;
    }
    this.#edits.set(value.id, value.edit);
    this.dispatch({
      type: 'editProposed',
      id: value.id,
      label: value.label,
      files: this.fileNames(value.edit),
    });
  }

  /** A stopped turn ends without a result; its conversation is stored all the same. */
  async #unanswered(stop: AbortController, error: unknown): Promise<void> {
    if (!stop.signal.aborted) {
      this.dispatch({ type: 'broken', problem: sentence(error) });
      return;
    }
    const conversation = this.#state.conversation ?? (await this.#newest());
    if (this.#stop !== stop) return;
    const outcome = { reason: 'cancelled', usage: null, problem: '' } as const;
    this.dispatch({ type: 'finished', conversation, text: '', outcome });
    this.listeners.remember(conversation);
  }

  /** The conversation of one question that was stored last: the one just stopped. */
  async #newest(): Promise<string | null> {
    try {
      const [newest] = await this.server.list('');
      return newest?.turns === 1 ? newest.conversationId : null;
    } catch {
      return null;
    }
  }

  #leave(): void {
    this.#stop?.abort();
    this.#settle();
    this.#edits.clear();
  }

  #settle(): void {
    this.#stop = null;
    this.#denyAll();
  }

  #denyAll(): void {
    for (const id of [...this.#approvals.keys()]) this.decide(id, 'deny', '');
  }

  #complain(error: unknown): void {
    this.dispatch({ type: 'problem', text: sentence(error) });
  }
}

/** What an error says to a person. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
