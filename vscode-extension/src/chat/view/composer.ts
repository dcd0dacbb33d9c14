/** Where questions are written: input, names offered for `@` and `#`, send and stop. */

import type { Draft } from '../messages';
import { mayMean, mentions, typedName, withMark, withoutMark } from '../references';
import type { Candidate, ChatState, Question } from '../state';
import { filled, type Strings } from '../strings';
import { button, element, icon, iconButton } from './dom';

export interface ComposerActions {
  readonly strings: Strings;
  readonly ask: (draft: Draft) => void;
  readonly stop: () => void;
  readonly complete: (query: string) => void;
  readonly chooseModel: () => void;
  readonly save: (draft: Draft) => void;
}

const NOTHING: Draft = { text: '', attached: [] };

export class Composer {
  readonly node = element('div', { class: 'composer' });
  readonly #input: HTMLTextAreaElement;
  readonly #editing = element('div', { class: 'editing', role: 'status' });
  readonly #model = element('button', { class: 'model' });
  readonly #chips = element('div', { class: 'chips' });
  readonly #offer = element('ul', { class: 'offer', role: 'listbox', id: 'offer' });
  readonly #send: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  #attached: readonly Candidate[];
  #rows: readonly Candidate[] = [];
  #chosen = 0;
  /** The number of the question that is asked again, and what was being written before. */
  #keep: { readonly number: number; readonly before: Draft } | null = null;
  #phase: ChatState['phase'] = 'idle';

  constructor(
    private readonly actions: ComposerActions,
    draft: Draft,
  ) {
    const { strings } = actions;
    this.#attached = draft.attached;
    if (draft.keep !== undefined) {
      this.#keep = { number: draft.keep, before: draft.before ?? NOTHING };
    }
    this.#input = this.#makeInput(draft.text);
    this.#send = iconButton('send', strings.send, () => this.#ask());
    this.#stop = iconButton('stop', strings.stop, () => actions.stop());
    this.#offer.setAttribute('aria-label', strings.suggestions);
    this.#model.addEventListener('click', () => actions.chooseModel());
    const at = iconButton('at', strings.attach, () => this.#typeAt());
    const tools = element('div', { class: 'tools' }, at, this.#model, this.#send, this.#stop);
    const box = element('div', { class: 'composer-row' }, this.#chips, this.#input, tools);
    this.node.append(this.#offer, this.#editing, box);
    this.#closeOffer();
    this.#drawChips();
    this.#drawEditing();
  }

  draw(state: ChatState): void {
    this.#phase = state.phase;
    const idle = state.phase === 'idle';
    this.#send.hidden = !idle;
    this.#stop.hidden = idle;
    this.#stop.disabled = state.phase === 'stopping';
    this.#drawModel(state);
  }

  /** Write a question anew; the old one and what follows it are replaced when it is asked. */
  edit(number: number, question: Question): void {
    if (this.#phase !== 'idle') return;
    const before = this.#keep?.before ?? this.#draft;
    this.#keep = { number, before };
    this.#attached = question.references.filter((one) => one.uri !== '');
    this.fill(question.text);
    this.#drawEditing();
  }

  /** Leave the question that is written anew; what was being written before comes back. */
  leaveEdit(): void {
    if (this.#keep === null) return;
    const { text, attached } = this.#keep.before;
    this.#keep = null;
    this.#attached = attached;
    this.fill(text);
    this.#drawEditing();
  }

  focus(): void {
    this.#input.focus();
  }

  /** Put a text into the input in place of what is there. */
  fill(text: string): void {
    this.#input.value = text;
    this.#changed();
    this.focus();
  }

  attach(candidate: Candidate): void {
    const gap = this.#input.value === '' || this.#input.value.endsWith(' ') ? '' : ' ';
    this.#input.value += `${gap}${candidate.label} `;
    this.#attached = [...this.#attached, candidate];
    this.#changed();
    this.focus();
  }

  /** Show the rows found for the name being typed. */
  offer(rows: readonly Candidate[]): void {
    this.#rows = this.#typed() === null ? [] : rows;
    this.#chosen = 0;
    this.#drawOffer();
  }

  #makeInput(text: string): HTMLTextAreaElement {
    const input = element('textarea', { class: 'input', label: this.actions.strings.ask });
    input.rows = 3;
    input.value = text;
    input.placeholder = this.actions.strings.ask;
    input.setAttribute('aria-autocomplete', 'list');
    input.addEventListener('input', () => {
      this.#changed();
      this.#look();
    });
    input.addEventListener('keydown', (event) => this.#key(event));
    input.addEventListener('blur', () => {
      // A click into the list, or on the button that opens it, comes back.
      setTimeout(() => {
        if (document.activeElement !== input) this.#closeOffer();
      }, 150);
    });
    return input;
  }

  #key(event: KeyboardEvent): void {
    // A key that ends the composing of a character is not a command.
    if (event.isComposing) return;
    const offered = this.#rows.length > 0;
    const keys: Readonly<Record<string, () => void>> = offered
      ? {
          ArrowDown: () => this.#move(1),
          ArrowUp: () => this.#move(-1),
          Enter: () => this.#take(this.#chosen),
          Tab: () => this.#take(this.#chosen),
          Escape: () => this.#closeOffer(),
        }
      : { Enter: () => this.#ask(), Escape: () => this.#escape() };
    const act = event.shiftKey ? undefined : keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  #escape(): void {
    if (this.#phase === 'asking') this.actions.stop();
    else this.leaveEdit();
  }

  get #draft(): Draft {
    return { text: this.#input.value, attached: this.#attached };
  }

  #typeAt(): void {
    const { value, selectionStart: caret } = this.#input;
    const mark = caret === 0 || /\s/.test(value[caret - 1] ?? '') ? '@' : ' @';
    this.#input.setRangeText(mark, caret, this.#input.selectionEnd, 'end');
    this.focus();
    this.#changed();
    this.#look();
  }

  #ask(): void {
    const text = this.#input.value.trim();
    if (text === '' || this.#phase !== 'idle') return;
    const keep = this.#keep === null ? {} : { keep: this.#keep.number };
    const draft = { text, attached: this.#attached, ...keep };
    const { text: next, attached } = this.#keep?.before ?? NOTHING;
    this.#keep = null;
    this.#input.value = next;
    this.#attached = attached;
    this.#changed();
    this.#drawEditing();
    // What goes with it is looked up first; another question would come in between.
    this.#phase = 'asking';
    this.actions.ask(draft);
  }

  #changed(): void {
    const text = this.#input.value;
    const attached = this.#attached;
    this.#attached = attached.filter((one) => mentions(text, one.label, attached));
    const anew = this.#keep && { keep: this.#keep.number, before: this.#keep.before };
    this.actions.save({ ...this.#draft, ...anew });
    this.#drawChips();
  }

  #typed(): ReturnType<typeof typedName> {
    return typedName(this.#input.value, this.#input.selectionEnd);
  }

  #look(): void {
    const typed = this.#typed();
    if (typed === null) return this.#closeOffer();
    // What was found for fewer letters stays until more is found, less what the new ones rule out:
    // Enter takes a row that is meant, or none.
    const chosen = this.#rows[this.#chosen];
    this.#rows = this.#rows.filter((row) => mayMean(row.label, typed.query));
    this.#chosen = Math.max(0, chosen === undefined ? 0 : this.#rows.indexOf(chosen));
    this.#drawOffer();
    this.actions.complete(typed.query);
  }

  #move(step: number): void {
    this.#chosen = (this.#chosen + step + this.#rows.length) % this.#rows.length;
    this.#drawOffer();
  }

  #take(index: number): void {
    const typed = this.#typed();
    const row = this.#rows[index];
    if (typed === null || row === undefined) return;
    const caret = this.#input.selectionEnd;
    const next = withMark(this.#input.value, typed.start, caret, row.label);
    this.#input.value = next.text;
    this.#input.setSelectionRange(next.caret, next.caret);
    if (row.uri !== '') this.#attached = [...this.#attached, row];
    this.#closeOffer();
    this.#changed();
  }

  #closeOffer(): void {
    this.#rows = [];
    this.#drawOffer();
  }

  #drawOffer(): void {
    this.#offer.hidden = this.#rows.length === 0;
    this.#drawRole(!this.#offer.hidden);
    const rows = this.#rows.map((row, index) => {
      const item = element(
        'li',
        { role: 'option', id: `offer-${index}` },
        element('span', { class: 'offer-name' }, row.label),
        element('span', { class: 'offer-detail' }, row.detail),
      );
      item.setAttribute('aria-selected', String(index === this.#chosen));
      item.addEventListener('mousedown', (event) => {
        event.preventDefault();
        this.#take(index);
      });
      return item;
    });
    this.#offer.replaceChildren(...rows);
    if (this.#offer.hidden) this.#input.removeAttribute('aria-activedescendant');
    else this.#input.setAttribute('aria-activedescendant', `offer-${this.#chosen}`);
    rows[this.#chosen]?.scrollIntoView({ block: 'nearest' });
  }

  /** While names are offered the input is what opens them; else it is heard as what it is, a text. */
  #drawRole(offers: boolean): void {
    const names = { role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'offer' };
    for (const [name, value] of Object.entries(names)) {
      if (offers) this.#input.setAttribute(name, value);
      else this.#input.removeAttribute(name);
    }
  }

  #drawEditing(): void {
    const { strings } = this.actions;
    this.#editing.hidden = this.#keep === null;
    this.#editing.replaceChildren(
      ...(this.#keep === null
        ? []
        : [
            element('span', {}, strings.editing),
            button(strings.cancel, () => this.leaveEdit(), { kind: 'link' }),
          ]),
    );
  }

  #drawModel({ status, connection }: ChatState): void {
    const { strings } = this.actions;
    const name = connection.kind === 'running' && status !== null ? status.model : '';
    const text = name === '' ? strings.chooseModel : name;
    if (this.#model.dataset['name'] === text) return;
    this.#model.dataset['name'] = text;
    this.#model.title = strings.chooseModel;
    this.#model.setAttribute('aria-label', `${strings.chooseModel}: ${text}`);
    this.#model.replaceChildren(icon('model'), element('span', {}, text));
  }

  #drawChips(): void {
    const { strings } = this.actions;
    const chips = this.#attached.map((one) =>
      element(
        'span',
        { class: 'chip', title: one.detail },
        one.label,
        iconButton('remove', filled(strings.remove, one.label), () => this.#detach(one)),
      ),
    );
    this.#chips.replaceChildren(...chips);
  }

  #detach(candidate: Candidate): void {
    this.#input.value = withoutMark(this.#input.value, candidate.label, this.#attached);
    this.#changed();
    this.focus();
  }
}
