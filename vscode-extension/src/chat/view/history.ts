/** The list of stored conversations. */

import type { ConversationList } from '../state';
import { turnsText, type Strings } from '../strings';
import { element, iconButton } from './dom';

export interface HistoryActions {
  readonly strings: Strings;
  readonly search: (query: string) => void;
  readonly open: (conversation: string) => void;
  readonly remove: (conversation: string) => void;
  readonly rename: (conversation: string) => void;
  readonly close: () => void;
  readonly export: (conversation: string) => void;
}

const QUIET_MILLISECONDS = 200;

export class History {
  readonly node = element('div', { class: 'history' });
  readonly #search: HTMLInputElement;
  readonly #rows = element('ul', { class: 'rows' });
  #drawn: ConversationList | null = null;

  constructor(private readonly actions: HistoryActions) {
    const { strings } = actions;
    this.#search = element('input', { class: 'search', label: strings.search });
    this.#search.type = 'search';
    this.#search.placeholder = strings.search;
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.#search.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => actions.search(this.#search.value), QUIET_MILLISECONDS);
    });
    this.node.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') actions.close();
    });
    this.node.append(this.#search, this.#rows);
  }

  draw(list: ConversationList): void {
    if (list === this.#drawn) return;
    if (list.open && this.#drawn?.open !== true) {
      this.#search.value = list.query;
      queueMicrotask(() => this.focus());
    }
    this.#drawn = list;
    const rows = list.rows.map((row) => this.#row(row));
    const none = element('li', { class: 'none' }, this.actions.strings.noConversations);
    this.#rows.replaceChildren(...(rows.length === 0 ? [none] : rows));
  }

  focus(): void {
    this.#search.focus();
  }

  #row(row: ConversationList['rows'][number]): HTMLElement {
    const { strings, open, remove, rename, export: save } = this.actions;
    const detail = [whenText(row.updated), turnsText(row.turns, strings)];
    const name = element(
      'button',
      { class: 'row-open', click: () => open(row.conversationId) },
      element('span', { class: 'row-title' }, row.title || strings.newChat),
      element('span', { class: 'row-detail' }, detail.filter(Boolean).join(' · ')),
    );
    return element(
      'li',
      { class: 'row' },
      name,
      iconButton('edit', strings.rename, () => rename(row.conversationId)),
      iconButton('export', strings.export, () => save(row.conversationId)),
      iconButton('delete', strings.delete, () => remove(row.conversationId)),
    );
  }
}

/** The time of today, or the day. */
function whenText(updated: string): string {
  const when = new Date(updated);
  if (Number.isNaN(when.getTime())) return '';
  return when.toDateString() === new Date().toDateString()
    ? when.toLocaleTimeString(undefined, { timeStyle: 'short' })
    : when.toLocaleDateString(undefined, { dateStyle: 'medium' });
}
