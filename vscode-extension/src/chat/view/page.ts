/** The chat page: it keeps a copy of the state, draws it and says what the user does. */

import type { Draft, FromPage, ToPage } from '../messages';
import { reduce } from '../reducer';
import type { ChatState } from '../state';
import { emptyChat } from '../state';
import type { Strings } from '../strings';
import { english } from '../strings';
import { Composer } from './composer';
import { button, element, iconButton } from './dom';
import { History } from './history';
import { Log } from './log';

interface VsCodeApi {
  postMessage(message: FromPage): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

const QUIET_MILLISECONDS = 200;

class Page {
  #state: ChatState = emptyChat;
  #request = 0;
  #planned = false;
  readonly #log: Log;
  readonly #history: History;
  readonly #composer: Composer;
  readonly #title = element('h2', { class: 'title' });
  readonly #banner = element('div', { class: 'banner', role: 'alert' });
  readonly #hint = element('div', { class: 'hint' });
  readonly #spoken = element('div', { class: 'spoken', role: 'status' });
  readonly #chat = element('main', { class: 'chat' });

  constructor(
    private readonly api: VsCodeApi,
    private readonly strings: Strings,
    draft: Draft,
    root: HTMLElement,
  ) {
    const post = (message: FromPage): void => api.postMessage(message);
    this.#log = new Log({
      strings,
      code: (text, action) => post({ type: 'code', text, action }),
      place: (path, line) => post({ type: 'place', path, line }),
      decide: (id, decision, reason) => post({ type: 'approve', id, decision, reason }),
      edit: (id, action) => post({ type: 'edit', id, action }),
      editQuestion: (text) => this.#composer.fill(text),
    });
    this.#history = new History({
      strings,
      search: (query) => post({ type: 'list', query }),
      open: (conversation) => post({ type: 'open', conversation }),
      remove: (conversation) => post({ type: 'delete', conversation }),
      export: (conversation) => post({ type: 'export', conversation }),
    });
    this.#composer = this.#makeComposer(post, draft);
    this.#chat.append(this.#hint, this.#log.node, this.#composer.node);
    root.replaceChildren(
      this.#header(post),
      this.#banner,
      this.#history.node,
      this.#chat,
      this.#spoken,
    );
  }

  receive(message: ToPage): void {
    switch (message.type) {
      case 'state':
        this.#state = message.state;
        this.#plan();
        return;
      case 'event':
        this.#say(message.event.type);
        this.#state = reduce(this.#state, message.event);
        this.#plan();
        if (message.event.type === 'asked') queueMicrotask(() => this.#log.scrollToEnd());
        return;
      case 'candidates':
        if (message.request === this.#request) this.#composer.offer(message.rows);
        return;
      case 'attach':
        this.#composer.attach(message.candidate);
        return;
      case 'focus':
        this.#composer.focus();
    }
  }

  #makeComposer(post: (message: FromPage) => void, draft: Draft): Composer {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return new Composer(
      {
        strings: this.strings,
        ask: ({ text, attached }) => post({ type: 'ask', text, attached }),
        stop: () => post({ type: 'stop' }),
        complete: (query) => post({ type: 'complete', request: ++this.#request, query }),
        save: (saved) => {
          clearTimeout(timer);
          timer = setTimeout(() => post({ type: 'draft', draft: saved }), QUIET_MILLISECONDS);
        },
      },
      draft,
    );
  }

  #header(post: (message: FromPage) => void): HTMLElement {
    const { strings } = this;
    return element(
      'header',
      { class: 'header' },
      this.#title,
      iconButton('history', strings.history, () =>
        post(this.#state.list.open ? { type: 'closeList' } : { type: 'list', query: '' }),
      ),
      iconButton('add', strings.newChat, () => post({ type: 'new' })),
    );
  }

  /** A stream of pieces is drawn once per frame. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    requestAnimationFrame(() => {
      this.#planned = false;
      this.#draw();
    });
  }

  #draw(): void {
    const { strings } = this;
    const state = this.#state;
    this.#title.textContent = state.list.open ? strings.history : state.title || strings.newChat;
    this.#history.node.hidden = !state.list.open;
    this.#chat.hidden = state.list.open;
    this.#history.draw(state.list);
    this.#log.draw(state.items);
    this.#composer.draw(state);
    this.#drawBanner(state);
    this.#drawHint(state);
  }

  #drawBanner({ connection, problem }: ChatState): void {
    const { strings } = this;
    const rows: (HTMLElement | string)[] = [];
    if (connection.kind === 'failed') {
      rows.push(
        element('p', {}, connection.problem),
        button(strings.retry, () => this.api.postMessage({ type: 'retry' }), { kind: 'primary' }),
        button(strings.showLog, () => this.api.postMessage({ type: 'log' })),
      );
    } else if (problem !== '') rows.push(element('p', {}, problem));
    this.#banner.replaceChildren(...rows);
    this.#banner.hidden = rows.length === 0;
  }

  #drawHint({ items, connection, status }: ChatState): void {
    const { strings } = this;
    const lines = items.length > 0 ? [] : [strings.welcome];
    if (connection.kind === 'starting') lines.push(strings.starting);
    else if (status?.state === 'loading') lines.push(strings.loading);
    else if (items.length === 0 && status?.embedded === true) lines.push(strings.embedded);
    this.#hint.replaceChildren(...lines.map((line) => element('p', {}, line)));
    this.#hint.hidden = lines.length === 0;
  }

  #say(event: string): void {
    const { strings } = this;
    if (event === 'finished') this.#spoken.textContent = strings.answered;
    if (event === 'approvalAsked') this.#spoken.textContent = strings.approvalAsked;
    if (event === 'asked') this.#spoken.textContent = strings.thinking;
  }
}

function main(): void {
  const api = acquireVsCodeApi();
  const root = document.getElementById('app');
  if (root === null) return;
  let page: Page | null = null;
  window.addEventListener('message', (event: MessageEvent<ToPage>) => {
    const message = event.data;
    if (message.type === 'state')
      page ??= new Page(api, { ...english, ...message.strings }, message.draft, root);
    page?.receive(message);
  });
  api.postMessage({ type: 'ready' });
}

main();
