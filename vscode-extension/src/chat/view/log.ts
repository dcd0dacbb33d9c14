/** The questions and answers. Only what changed is drawn again, so that folding and selecting last. */

import type { Answer, Block, Candidate, Item, Question } from '../state';
import { usageText } from '../strings';
import type { AnswerActions } from './answer';
import { renderMarkdown } from './answer';
import type { CardActions } from './cards';
import { editCard, toolCard } from './cards';
import { element, iconButton } from './dom';

export interface LogActions extends AnswerActions, CardActions {
  /** Ask the question with this number, from 0, again in other words. */
  readonly editQuestion: (number: number, question: Question) => void;
  readonly show: (candidate: Candidate) => void;
}

interface Drawn {
  readonly item: Item;
  readonly node: HTMLElement;
  readonly blocks: { readonly block: Block; readonly node: HTMLElement }[];
}

export class Log {
  readonly node = element('div', { class: 'log', role: 'log' });
  #drawn: Drawn[] = [];

  constructor(private readonly actions: LogActions) {
    this.node.setAttribute('aria-label', actions.strings.conversation);
    // The page says when an answer is complete; reading every piece aloud would drown it.
    this.node.setAttribute('aria-live', 'off');
    this.node.tabIndex = 0;
  }

  draw(items: readonly Item[]): void {
    const follow = this.#atEnd();
    items.forEach((item, index) => this.#drawItem(item, index));
    this.#drawn.splice(items.length).forEach(({ node }) => node.remove());
    if (follow) this.node.scrollTop = this.node.scrollHeight;
  }

  scrollToEnd(): void {
    this.node.scrollTop = this.node.scrollHeight;
  }

  #atEnd(): boolean {
    return this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < 40;
  }

  #drawItem(item: Item, index: number): void {
    const before = this.#drawn[index];
    if (before?.item === item) return;
    if (before?.item.kind === 'answer' && item.kind === 'answer') {
      this.#updateAnswer(before, item, index);
      return;
    }
    const drawn = item.kind === 'question' ? this.#question(item, index) : this.#answer(item);
    if (before === undefined) this.node.append(drawn.node);
    else before.node.replaceWith(drawn.node);
    this.#drawn[index] = drawn;
  }

  #question(item: Question, index: number): Drawn {
    const { strings, editQuestion, show } = this.actions;
    const node = element(
      'article',
      { class: 'question', label: strings.you },
      element('div', { class: 'question-text' }, item.text),
      ...item.references.map((one) =>
        element('button', { class: 'chip', click: () => show(one), title: one.detail }, one.label),
      ),
      iconButton('edit', strings.edit, () => editQuestion(this.#questionsBefore(index), item)),
    );
    return { item, node, blocks: [] };
  }

  #questionsBefore(index: number): number {
    return this.#drawn.slice(0, index).filter(({ item }) => item.kind === 'question').length;
  }

  #answer(item: Answer): Drawn {
    const node = element('article', { class: 'answer', label: this.actions.strings.quillon });
    const drawn: Drawn = { item, node, blocks: [] };
    this.#fill(drawn, item);
    return drawn;
  }

  #updateAnswer(before: Drawn, item: Answer, index: number): void {
    const drawn: Drawn = { item, node: before.node, blocks: before.blocks };
    this.#fill(drawn, item);
    this.#drawn[index] = drawn;
  }

  #fill(drawn: Drawn, item: Answer): void {
    drawn.node.querySelector(':scope > .outcome')?.remove();
    item.blocks.forEach((block, index) => {
      const before = drawn.blocks[index];
      if (before?.block === block) return;
      const node = this.#block(block);
      if (before === undefined) drawn.node.append(node);
      else replaceKeepingFold(before.node, node);
      drawn.blocks[index] = { block, node };
    });
    drawn.blocks.splice(item.blocks.length).forEach(({ node }) => node.remove());
    drawn.node.append(this.#outcome(item));
  }

  #block(block: Block): HTMLElement {
    switch (block.kind) {
      case 'text':
        return renderMarkdown(block.text, this.actions);
      case 'notice':
        return element('p', { class: 'notice' }, block.text);
      case 'tool':
        return toolCard(block, this.actions);
      case 'edit':
        return editCard(block, this.actions);
    }
  }

  #outcome({ outcome, blocks }: Answer): HTMLElement {
    const { strings } = this.actions;
    if (outcome === null) {
      const asks = blocks.some((block) => block.kind === 'tool' && block.approval !== null);
      if (asks) return element('div', { class: 'outcome working' }, strings.waiting);
      const dots = ['', '', ''].map(() => element('span', { class: 'pulse' }));
      return element('div', { class: 'outcome working' }, ...dots, strings.thinking);
    }
    const reasons = {
      stop: '',
      length: strings.tooLong,
      cancelled: strings.cancelled,
      toolLimit: strings.toolLimit,
      error: outcome.problem,
    };
    const reason = reasons[outcome.reason];
    const kind = outcome.reason === 'error' ? 'problem' : 'reason';
    return element(
      'div',
      { class: 'outcome' },
      reason === '' ? null : element('p', { class: kind }, reason),
      outcome.usage === null || outcome.usage.promptTokens === 0
        ? null
        : element('p', { class: 'usage' }, usageText(outcome.usage, strings)),
    );
  }
}

function replaceKeepingFold(before: HTMLElement, node: HTMLElement): void {
  if (before.querySelector('details')?.open === true)
    node.querySelector('details')?.setAttribute('open', '');
  before.replaceWith(node);
}
