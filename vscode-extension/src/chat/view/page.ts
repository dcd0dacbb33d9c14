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
import { Speech } from './speech';
import { Welcome } from './welcome';

interface VsCodeApi {
  postMessage(message: FromPage): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

const QUIET_MILLISECONDS = 200;

class Page {
  #state: ChatState = emptyChat;
  #request = 0;
  #planned = false;
  #inBanner: readonly unknown[] = [];
  readonly #log: Log;
  readonly #history: History;
  readonly #composer: Composer;
  readonly #welcome: Welcome;
  readonly #banner = element('div', { class: 'banner', role: 'alert' });
  /** It is there while it is empty: what comes into it is read aloud. */
  readonly #hint = element('div', { class: 'hint', role: 'status' });
  readonly #speech: Speech;
  readonly #chat = element('main', { class: 'chat' });

  constructor(
    private readonly api: VsCodeApi,
    private readonly strings: Strings,
    draft: Draft,
    root: HTMLElement,
  ) {
    const post = (message: FromPage): void => api.postMessage(message);
    this.#speech = new Speech(strings);
    this.#log = new Log({
      strings,
      code: (text, action) => {
        post({ type: 'code', text, action });
        if (action === 'copy') this.#speech.say(strings.copied);
      },
      place: (path, line) => post({ type: 'place', path, line }),
      decide: (id, decision, reason) => post({ type: 'approve', id, decision, reason }),
      edit: (id, action) => post({ type: 'edit', id, action }),
      editQuestion: (number, question) => this.#composer.edit(number, question),
      show: (candidate) => post({ type: 'show', candidate }),
    });
    this.#welcome = new Welcome({
      strings,
      propose: (text) => this.#composer.fill(text),
      open: (conversation) => post({ type: 'open', conversation }),
      all: () => post({ type: 'list', query: '' }),
      chooseModel: () => post({ type: 'model' }),
    });
    this.#history = new History({
      strings,
      search: (query) => post({ type: 'search', query }),
      open: (conversation) => post({ type: 'open', conversation }),
      rename: (conversation) => post({ type: 'rename', conversation }),
      close: () => post({ type: 'closeList' }),
      remove: (conversation) => post({ type: 'delete', conversation }),
      export: (conversation) => post({ type: 'export', conversation }),
    });
    this.#composer = this.#makeComposer(post, draft);
    this.#chat.append(this.#hint, this.#welcome.node, this.#log.node, this.#composer.node);
    root.replaceChildren(this.#banner, this.#history.node, this.#chat, this.#speech.node);
  }

  receive(message: ToPage): void {
    switch (message.type) {
      case 'state':
        this.#state = message.state;
        this.#plan();
        return;
      case 'event':
        this.#speech.hear(message.event);
        if (['started', 'opened'].includes(message.event.type)) this.#composer.leaveEdit();
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
        ask: (draft) => post({ type: 'ask', draft }),
        chooseModel: () => post({ type: 'model' }),
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
    const state = this.#state;
    // What had the focus may go with this.
    const hadFocus = hasFocus();
    this.#history.node.hidden = !state.list.open;
    this.#chat.hidden = state.list.open;
    this.#history.draw(state.list);
    this.#welcome.draw(state);
    this.#log.node.hidden = state.items.length === 0;
    this.#log.draw(state.items);
    this.#composer.draw(state);
    this.#drawBanner(state);
    this.#drawHint(state);
    if (hadFocus && !hasFocus()) (state.list.open ? this.#history : this.#composer).focus();
  }

  #drawBanner({ connection, problem }: ChatState): void {
    const { strings } = this;
    // Drawn again, it would be read aloud again, and its buttons would lose the focus.
    if (this.#inBanner[0] === connection && this.#inBanner[1] === problem) return;
    this.#inBanner = [connection, problem];
    const rows: (HTMLElement | string)[] = [];
    if (connection.kind === 'failed') {
      rows.push(
        element('p', {}, connection.problem),
        ...connection.remedies.map((remedy, index) =>
          button(
            strings[remedy],
            () => this.api.postMessage({ type: 'remedy', remedy }),
            index === 0 ? { kind: 'primary' } : {},
          ),
        ),
      );
    } else if (problem !== '') {
      const dismiss = (): void => this.api.postMessage({ type: 'dismiss' });
      rows.push(element('p', {}, problem), iconButton('remove', strings.dismiss, dismiss));
    }
    this.#banner.replaceChildren(...rows);
    this.#banner.hidden = rows.length === 0;
  }

  #drawHint({ connection, status }: ChatState): void {
    const { strings } = this;
    const text =
      connection.kind === 'starting'
        ? strings.starting
        : status?.state === 'loading' && connection.kind === 'running'
          ? strings.loading
          : '';
    // Said again, it would be read again.
    if (this.#hint.textContent !== text) this.#hint.textContent = text;
  }
}

/** Whether keys go to a part of the page that is there. */
function hasFocus(): boolean {
  const active = document.activeElement;
  if (active === null || active === document.body) return false;
  return document.hasFocus() && active.closest('[hidden]') === null;
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
