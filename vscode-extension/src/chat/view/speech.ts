/** What a screen reader says of the chat: how a turn goes, not every piece of its text. */

import type { ChatEvent } from '../state';
import type { Strings } from '../strings';
import { element } from './dom';

/** What to say when something happened; null for what is silent. */
export function spokenText(event: ChatEvent, strings: Strings): string | null {
  switch (event.type) {
    case 'asked':
      return strings.thinking;
    case 'approvalAsked':
      return `${strings.approvalAsked} ${event.name}`;
    case 'finished':
      return {
        stop: strings.answered,
        length: strings.tooLong,
        cancelled: strings.cancelled,
        toolLimit: strings.toolLimit,
        error: event.outcome.problem,
      }[event.outcome.reason];
    case 'broken':
      return event.problem;
    default:
      return null;
  }
}

export class Speech {
  readonly node = element('div', { class: 'spoken' });
  // A text that stays the same is not read again: it goes to the other one.
  readonly #places = [element('div', { role: 'status' }), element('div', { role: 'status' })];

  constructor(private readonly strings: Strings) {
    this.node.append(...this.#places);
  }

  hear(event: ChatEvent): void {
    const text = spokenText(event, this.strings);
    if (text !== null) this.say(text);
  }

  say(text: string): void {
    const next = this.#places.find((place) => place.textContent === '');
    for (const place of this.#places) place.textContent = place === next ? text : '';
  }
}
