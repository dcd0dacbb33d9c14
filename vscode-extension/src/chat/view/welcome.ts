/** The page without a conversation: what can be asked, and the conversations left last. */

import type { ChatState } from '../state';
import { turnsText, type Strings } from '../strings';
import { button, element, mark } from './dom';

export interface WelcomeActions {
  readonly strings: Strings;
  /** Put a question into the input. */
  readonly propose: (text: string) => void;
  readonly open: (conversation: string) => void;
  readonly all: () => void;
  readonly chooseModel: () => void;
}

export class Welcome {
  readonly node = element('div', { class: 'welcome' });
  #drawn: readonly unknown[] = [];

  constructor(private readonly actions: WelcomeActions) {}

  draw(state: ChatState): void {
    const { strings } = this.actions;
    this.node.hidden = state.items.length > 0;
    const { recent, status, connection } = state;
    const seen = [recent, status?.embedded, connection.kind];
    if (this.node.hidden || seen.every((one, index) => one === this.#drawn[index])) return;
    this.#drawn = seen;
    this.node.replaceChildren(
      mark(),
      element('h2', {}, strings.welcome),
      element('p', { class: 'quiet' }, strings.local),
      this.#proposals(),
      ...(status?.embedded === true ? [this.#embedded()] : []),
      ...(recent.length > 0 ? [this.#recent(recent)] : []),
    );
  }

  #proposals(): HTMLElement {
    const { strings, propose } = this.actions;
    const rows = [strings.askProject, strings.askSelection, strings.askTests].map((text) =>
      element(
        'li',
        {},
        button(text, () => propose(text), { kind: 'proposal' }),
      ),
    );
    return element('ul', { class: 'proposals', label: strings.proposals }, ...rows);
  }

  #embedded(): HTMLElement {
    const { strings, chooseModel } = this.actions;
    return element(
      'div',
      { class: 'note' },
      element('p', {}, strings.embedded),
      button(strings.chooseModel, chooseModel),
    );
  }

  #recent(rows: ChatState['recent']): HTMLElement {
    const { strings, open, all } = this.actions;
    const items = rows.map((row) =>
      element(
        'li',
        {},
        element(
          'button',
          { class: 'row-open', click: () => open(row.conversationId) },
          element('span', { class: 'row-title' }, row.title || strings.newChat),
          element('span', { class: 'row-detail' }, turnsText(row.turns, strings)),
        ),
      ),
    );
    return element(
      'section',
      { class: 'recent', label: strings.recent },
      element('h3', {}, strings.recent),
      element('ul', {}, ...items),
      button(strings.allConversations, all, { kind: 'link' }),
    );
  }
}
