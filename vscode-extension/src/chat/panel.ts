/** The chat view: it carries what the page says to the conversation, and the other way round. */

import * as vscode from 'vscode';

import { fileNames } from '../edits';
import type {
  ApproveParams,
  ApproveResult,
  ExplainParams,
  Reference,
  StatusParams,
} from '../protocol';
import type { Reviews } from '../review/reviews';
import type { Server } from '../server';
import { attachmentsOf } from './attachments';
import { chatServer } from './backend';
import { candidates, linesText, selection } from './candidates';
import { ChatConversation, sentence } from './conversation';
import { Deeds } from './deeds';
import { Drafts } from './drafts';
import { Proposals } from './proposals';
import { Library } from './library';
import type { Draft, EditAction, FromPage, ToPage } from './messages';
import { pageHtml } from './page';
import type { Candidate, Connection } from './state';
import { english, type Strings } from './strings';

export const VIEW = 'quillon.chat';
const REMEMBERED = 'quillon.conversation';

export class ChatPanel implements vscode.WebviewViewProvider, vscode.Disposable {
  #view: vscode.WebviewView | null = null;
  #restored = false;
  /** What was said to a page that is not there yet; null while one listens. */
  #waiting: ToPage[] | null = [];
  readonly #conversation: ChatConversation;
  readonly #drafts: Drafts;
  readonly #deeds: Deeds;
  readonly library: Library;
  readonly #listener: vscode.Disposable;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly server: Server,
    private readonly log: vscode.LogOutputChannel,
    reviews: Reviews,
  ) {
    this.#drafts = new Drafts(context.workspaceState);
    this.#conversation = new ChatConversation(
      chatServer(server),
      {
        changed: (event) => {
          if (['asked', 'started', 'opened'].includes(event.type)) void this.#drafts.leave();
          this.#post({ type: 'event', event });
          this.#describe();
        },
        remember: (id) => void context.workspaceState.update(REMEMBERED, id ?? undefined),
      },
      fileNames,
      new Proposals(context.workspaceState),
    );
    this.#deeds = new Deeds(server, reviews);
    this.library = new Library(server, this.#conversation);
    this.#listener = server.onDidChange(() => this.#follow());
    this.#follow();
  }

  dispose(): void {
    this.#listener.dispose();
    this.#conversation.startNew();
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.#view = view;
    const { extensionUri } = this.context;
    view.webview.options = {
      enableScripts: true,
      localResourceRoots: [vscode.Uri.joinPath(extensionUri, 'dist')],
    };
    view.webview.html = pageHtml(view.webview, extensionUri);
    this.#describe();
    view.webview.onDidReceiveMessage((message: FromPage) => void this.#receive(message));
    // A hidden view loses its page.
    view.onDidChangeVisibility(() => {
      if (!view.visible) this.#waiting = [];
    });
    view.onDidDispose(() => {
      this.#view = null;
      this.#waiting = [];
    });
  }

  /** Open the view and put the caret into its input. */
  async show(): Promise<void> {
    await vscode.commands.executeCommand(`${VIEW}.focus`);
    this.#post({ type: 'focus' });
  }

  async startNew(): Promise<void> {
    this.#conversation.startNew();
    await this.show();
  }

  /** Open the view and ask, in a conversation of its own. */
  async ask(question: ExplainParams): Promise<void> {
    await this.show();
    if (this.#conversation.state.items.length > 0) this.#conversation.startNew();
    await this.#conversation.ask(question.text, (question.references ?? []).map(attached));
  }

  /** Show the list of conversations, or leave it. */
  async toggleList(): Promise<void> {
    await vscode.commands.executeCommand(`${VIEW}.focus`);
    if (this.#conversation.state.list.open) this.#conversation.dispatch({ type: 'listClosed' });
    else await this.#conversation.list('');
  }

  /** Attach the selected code to the question that is being written. */
  async attachSelection(): Promise<void> {
    const selected = selection();
    if (selected === null) return;
    const label = `@${selected.detail}`;
    await this.show();
    this.#post({ type: 'attach', candidate: { ...selected, label } });
  }

  async approve(params: ApproveParams, token: vscode.CancellationToken): Promise<ApproveResult> {
    const gone = new AbortController();
    token.onCancellationRequested(() => gone.abort());
    const answer = this.#conversation.approve(params, gone.signal);
    if (this.#view?.visible !== true) void this.#call();
    return answer;
  }

  /** Tell the user that the chat waits, without taking the keyboard away. */
  async #call(): Promise<void> {
    const open = vscode.l10n.t('Open the chat');
    const text = vscode.l10n.t('Quillon asks for your approval.');
    if ((await vscode.window.showInformationMessage(text, open)) === open) await this.show();
  }

  status(status: StatusParams): void {
    this.#conversation.dispatch({ type: 'status', status });
  }

  #follow(): void {
    const state = this.server.state;
    const connection: Connection = state.kind === 'failed' ? state : { kind: state.kind };
    if (state.kind !== 'running') {
      this.#conversation.lost(vscode.l10n.t('The server stopped while it answered.'));
    }
    this.#conversation.dispatch({ type: 'connection', connection });
    if (state.kind !== 'running') return;
    this.#restore();
    void this.#conversation.listRecent();
  }

  /** The view's title names the conversation. */
  #describe(): void {
    const { list, title } = this.#conversation.state;
    const name = list.open ? vscode.l10n.t('Conversations') : title || vscode.l10n.t('Chat');
    if (this.#view !== null && this.#view.title !== name) this.#view.title = name;
  }

  /** After a reload the stored conversation comes back, once. */
  #restore(): void {
    const id = this.context.workspaceState.get<string>(REMEMBERED);
    if (this.#restored || id === undefined || this.#conversation.state.items.length > 0) return;
    this.#restored = true;
    void this.#conversation.open(id);
  }

  #post(message: ToPage): void {
    if (this.#waiting === null) void this.#view?.webview.postMessage(message);
    // The state that a new page gets holds all events so far.
    else if (message.type !== 'event') this.#waiting.push(message);
  }

  #greet(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    const draft = this.#drafts.current;
    this.#post({ type: 'state', state: this.#conversation.state, strings: translated(), draft });
    waiting.forEach((message) => this.#post(message));
  }

  async #receive(message: FromPage): Promise<void> {
    try {
      await this.#handle(message);
    } catch (error) {
      this.log.error(sentence(error));
      this.#conversation.dispatch({ type: 'problem', text: sentence(error) });
    }
  }

  async #handle(message: FromPage): Promise<void> {
    const conversation = this.#conversation;
    switch (message.type) {
      case 'ready':
        return this.#greet();
      case 'ask':
        return this.#ask(message.draft);
      case 'draft':
        return this.#drafts.save(message.draft);
      case 'stop':
        return conversation.stop();
      case 'new':
        return conversation.startNew();
      case 'list':
        return conversation.list(message.query);
      case 'search':
        return conversation.search(message.query);
      case 'closeList':
        return conversation.dispatch({ type: 'listClosed' });
      case 'dismiss':
        return conversation.dispatch({ type: 'problem', text: '' });
      case 'open':
        return conversation.open(message.conversation);
      case 'delete':
        return this.library.delete(message.conversation);
      case 'export':
        return this.library.export(message.conversation);
      case 'rename':
        return this.library.rename(message.conversation);
      case 'approve':
        return conversation.decide(message.id, message.decision, message.reason);
      case 'edit':
        return this.#edit(message.id, message.action);
      case 'code':
        return this.#deeds.code(message.text, message.action);
      case 'place':
        return this.#deeds.place(message.path, message.line);
      case 'show':
        return this.#deeds.show(message.candidate);
      case 'model':
        await vscode.commands.executeCommand('quillon.chooseModel');
        return;
      case 'complete':
        return this.#complete(message.request, message.query);
      case 'remedy':
        return this.server.remedy(message.remedy);
    }
  }

  async #ask(draft: Draft): Promise<void> {
    const { references, notices } = await attachmentsOf(draft, this.server);
    await this.#conversation.ask(draft.text, references, draft.keep, notices);
  }

  async #edit(id: string, action: EditAction): Promise<void> {
    await this.#conversation.settle(id, async (edit) =>
      action === 'discard' ? 'discarded' : this.#deeds[action](edit),
    );
  }

  async #complete(request: number, query: string): Promise<void> {
    this.#post({ type: 'candidates', request, rows: await candidates(query, this.server) });
  }
}

/** A reference as the user knows it. */
function attached(reference: Reference): Candidate {
  return { ...reference, label: placeName(reference), detail: '' };
}

function placeName({ uri, range }: Reference): string {
  const name = vscode.workspace.asRelativePath(vscode.Uri.parse(uri));
  if (range === undefined) return name;
  const { start, end } = range;
  return `${name}:${linesText(start.line + 1, end.line + (end.character > 0 ? 1 : 0))}`;
}

function translated(): Strings {
  const pairs = Object.entries(english).map(([key, text]) => [key, vscode.l10n.t(text)]);
  return Object.fromEntries(pairs) as Strings;
}
