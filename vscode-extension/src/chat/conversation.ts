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
  EditedFileDigest,
  Reference,
  WorkspaceEdit,
} from '../protocol';
import { reduce } from './reducer';
import type { Proposals } from './proposals';
import type { Candidate, ChatEvent, ChatState, EditState } from './state';
import { emptyChat } from './state';
import { storedTurns } from './transcript';

/** The part of the server that a conversation talks to. Every call may reject. */
export interface ChatServer {
  chat(
    params: ChatParams,
    progress: (value: ChatProgress) => void,
    stop: AbortSignal,
  ): Promise<ChatResult>;
  list(query: string): Promise<readonly ConversationSummary[]>;
  get(conversation: string): Promise<Conversation>;
  rename(conversation: string, title: string): Promise<void>;
  delete(conversation: string): Promise<void>;
}

/** A proposed edit, and what its files have to be when it is applied. */
export interface ProposedEdit {
  readonly label: string;
  readonly edit: WorkspaceEdit;
  readonly files: readonly EditedFileDigest[];
}

const RECENT = 3;

/** What closes the list; rows that come later would open it again. */
const CLOSE_LIST: ReadonlySet<ChatEvent['type']> = new Set([
  'asked',
  'started',
  'opened',
  'listClosed',
]);

export interface ChatListeners {
  /** Called after every change, with what changed. */
  changed(event: ChatEvent): void;
  /** The conversation that a reload should bring back. */
  remember(conversation: string | null): void;
}

export class ChatConversation {
  #state: ChatState = emptyChat;
  #stop: AbortController | null = null;
  /** These count: what is shown, and what is listed. An answer to an earlier wish comes too late. */
  #visit = 0;
  #listing = 0;
  readonly #edits = new Map<string, ProposedEdit>();
  readonly #deeds = new Set<ProposedEdit>();
  readonly #approvals = new Map<string, (result: ApproveResult) => void>();

  constructor(
    readonly server: ChatServer,
    readonly listeners: ChatListeners,
    readonly fileNames: (edit: WorkspaceEdit) => readonly string[],
    readonly proposals: Proposals,
  ) {}

  get state(): ChatState {
    return this.#state;
  }

  dispatch(event: ChatEvent): void {
    this.#state = reduce(this.#state, event);
    if (CLOSE_LIST.has(event.type)) this.#listing++;
    this.listeners.changed(event);
  }

  /** Do something with a proposed edit; nothing else can be done with it until that has ended. */
  async settle(id: string, deed: (edit: ProposedEdit) => Promise<EditState>): Promise<void> {
    const edit = this.#edits.get(id);
    if (edit === undefined || this.#deeds.has(edit)) return;
    const changed = (state: EditState, problem = ''): void =>
      this.dispatch({ type: 'editChanged', id, state, problem });
    this.#deeds.add(edit);
    changed('deciding');
    try {
      const state = await deed(edit);
      changed(state);
      if (state !== 'proposed') this.proposals.forget(id);
    } catch (error) {
      changed('failed', sentence(error));
    } finally {
      this.#deeds.delete(edit);
    }
  }

  /**
   * Ask one question, in place of the one with the number `keep` where there is one; resolves when
   * its turn has ended, however it ended. The notices say what does not go with the question.
   */
  async ask(
    text: string,
    references: readonly Candidate[],
    keep?: number,
    notices: readonly string[] = [],
  ): Promise<void> {
    if (this.#state.phase !== 'idle' || text.trim() === '') return;
    const stop = new AbortController();
    this.#stop = stop;
    this.#visit++;
    const before = this.#state;
    this.dispatch({ type: 'asked', text, references, ...(keep === undefined ? {} : { keep }) });
    this.#notify(notices);
    this.#retainShown();
    try {
      const turns = keep === undefined ? {} : await this.#keptTurns(before, keep);
      const result = await this.server.chat(
        { text, references: references.map(referenceTo), ...this.#target(), ...turns },
        (value) => this.#advance(stop, value),
        stop.signal,
      );
      if (this.#stop !== stop) return;
      const { conversationId, finishReason, usage } = result;
      const outcome = { reason: finishReason, usage, problem: '' };
      this.dispatch({ type: 'finished', conversation: conversationId, text: result.text, outcome });
      this.listeners.remember(conversationId);
      void this.listRecent();
    } catch (error) {
      if (this.#stop === stop) this.#unanswered(stop, error);
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
    this.#visit++;
    this.#leave();
    this.dispatch({ type: 'started' });
    this.listeners.remember(null);
  }

  async list(query: string): Promise<void> {
    const listing = ++this.#listing;
    try {
      const rows = await this.server.list(query);
      if (listing === this.#listing) this.dispatch({ type: 'listed', query, rows });
    } catch (error) {
      if (listing === this.#listing) this.#complain(error);
    }
  }

  /** List what fits; the list may have been closed while its words were typed. */
  async search(query: string): Promise<void> {
    if (this.#state.list.open) await this.list(query);
  }

  async open(conversation: string): Promise<void> {
    const visit = ++this.#visit;
    try {
      const stored = await this.server.get(conversation);
      if (visit !== this.#visit) return;
      this.#leave();
      this.dispatch({ type: 'opened', conversation: stored });
      for (const { id, proposal } of this.proposals.of(conversation)) {
        this.#propose(id, proposal, true);
      }
      this.listeners.remember(conversation);
    } catch (error) {
      if (visit !== this.#visit) return;
      this.listeners.remember(this.#state.conversation);
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
    this.proposals.retain(conversation, new Set());
    const { query, open } = this.#state.list;
    if (conversation === this.#state.conversation) this.startNew();
    if (open) await this.list(query);
    await this.listRecent();
  }

  /** Give a conversation another name. */
  async rename(conversation: string, title: string): Promise<void> {
    try {
      await this.server.rename(conversation, title);
      this.dispatch({ type: 'renamed', conversation, title });
    } catch (error) {
      this.#complain(error);
    }
  }

  /** The newest conversations, for an empty page; without them it is only emptier. */
  async listRecent(): Promise<void> {
    try {
      const rows = (await this.server.list('')).slice(0, RECENT);
      this.dispatch({ type: 'recent', rows });
    } catch {
      // The server is not there yet, or cannot read them; the list itself says why.
    }
  }

  /** The server is gone: what streams is broken, nothing is asked any more. */
  lost(problem: string): void {
    if (this.#stop === null) return;
    this.dispatch({ type: 'broken', problem });
    this.#settle();
  }

  #notify(notices: readonly string[]): void {
    for (const text of notices)
      this.dispatch({ type: 'progress', value: { kind: 'notice', text } });
  }

  /** Edits go with the answers that proposed them, when their question is asked anew. */
  #retainShown(): void {
    const { conversation, items } = this.#state;
    if (conversation === null) return;
    const blocks = items.flatMap((item) => (item.kind === 'answer' ? item.blocks : []));
    const ids = blocks.flatMap((block) => (block.kind === 'edit' ? [block.id] : []));
    this.proposals.retain(conversation, new Set(ids));
  }

  #target(): Pick<ChatParams, 'conversationId'> {
    const { conversation } = this.#state;
    return conversation === null ? {} : { conversationId: conversation };
  }

  /** What the server keeps of a conversation: a question that failed may never have got there. */
  async #keptTurns(before: ChatState, keep: number): Promise<Pick<ChatParams, 'keepTurns'>> {
    if (before.conversation === null) return {};
    const { messages } = await this.server.get(before.conversation);
    return { keepTurns: storedTurns(before.items, keep, messages) };
  }

  #advance(stop: AbortController, value: ChatProgress): void {
    if (this.#stop !== stop) return;
    if (value.kind === 'conversation') {
      this.dispatch({ type: 'begun', conversation: value.conversationId });
      this.listeners.remember(value.conversationId);
      return;
    }
    if (value.kind !== 'edit') {
      this.dispatch({ type: 'progress', value });
      return;
    }
    const { id, label, edit, files = [] } = value;
    const proposal = { label, edit, files };
    const { conversation } = this.#state;
    if (conversation !== null) this.proposals.add({ conversation, id, proposal });
    this.#propose(id, proposal);
  }

  #propose(id: string, proposal: ProposedEdit, before = false): void {
    this.#edits.set(id, proposal);
    const { label, edit } = proposal;
    this.dispatch({ type: 'editProposed', before, id, label, files: this.fileNames(edit) });
  }

  /** A stopped turn ends without a result; which conversation it is was said when it began. */
  #unanswered(stop: AbortController, error: unknown): void {
    if (!stop.signal.aborted) {
      this.dispatch({ type: 'broken', problem: sentence(error) });
      return;
    }
    const { conversation } = this.#state;
    const outcome = { reason: 'cancelled', usage: null, problem: '' } as const;
    this.dispatch({ type: 'finished', conversation, text: '', outcome });
    this.listeners.remember(conversation);
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

function referenceTo({ uri, range }: Candidate): Reference {
  return range === undefined ? { uri } : { uri, range };
}

/** What an error says to a person. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
