/** Cards in an answer: tool calls with their approval, and proposed edits. */

import type { EditAction } from '../messages';
import type { Decision } from '../../protocol';
import type { EditBlock, ToolBlock } from '../state';
import type { Strings } from '../strings';
import { button, element, icon } from './dom';

export interface CardActions {
  readonly strings: Strings;
  readonly decide: (id: string, decision: Decision, reason: string) => void;
  readonly edit: (id: string, action: EditAction) => void;
}

export function toolCard(tool: ToolBlock, actions: CardActions): HTMLElement {
  const { strings } = actions;
  const card = element('section', {
    class: `card tool ${tool.state}`,
    label: `${tool.name}: ${strings[tool.state]}`,
  });
  const summary = element(
    'summary',
    {},
    element('span', { class: 'chevron' }, icon('chevron')),
    element('span', { class: 'state' }, icon(tool.state)),
    element('span', { class: 'tool-name' }, tool.name),
    element('span', { class: 'tool-brief' }, brief(tool.arguments)),
    // The picture of what is done speaks for itself.
    tool.state === 'done' ? null : element('span', { class: 'tool-state' }, strings[tool.state]),
  );
  const details = element(
    'details',
    {},
    summary,
    argumentList(tool, strings),
    result(tool, strings),
  );
  card.append(details);
  if (tool.approval !== null) card.append(approval(tool, actions));
  return card;
}

/** The arguments on one line, for the folded card: of a list its first, of an object its path. */
function brief(values: Readonly<Record<string, unknown>>): string {
  return Object.values(values).map(briefValue).join(' ').replace(/\s+/g, ' ').slice(0, 200);
}

function briefValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    const more = value.length > 1 ? ` +${value.length - 1}` : '';
    return value.length === 0 ? '' : briefValue(value[0]) + more;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = value as Readonly<Record<string, unknown>>;
  return typeof fields['path'] === 'string' ? fields['path'] : brief(fields);
}

function argumentList(tool: ToolBlock, strings: Strings): HTMLElement | null {
  if (Object.keys(tool.arguments).length === 0) return null;
  const rows = Object.entries(tool.arguments).flatMap(([name, value]) => [
    element('dt', {}, name),
    element('dd', {}, typeof value === 'string' ? value : JSON.stringify(value)),
  ]);
  return element('div', {}, element('h4', {}, strings.arguments), element('dl', {}, ...rows));
}

function result(tool: ToolBlock, strings: Strings): HTMLElement | null {
  if (tool.result === null) return null;
  const output = element('pre', { class: tool.result.ok ? '' : 'bad' }, tool.result.preview);
  output.tabIndex = 0;
  return element('div', {}, element('h4', {}, strings.result), output);
}

function approval(tool: ToolBlock, { strings, decide }: CardActions): HTMLElement {
  const reason = element('input', { class: 'reason', label: strings.denyReason });
  reason.placeholder = strings.denyReason;
  const choose = (decision: Decision) => (): void =>
    decide(tool.id, decision, decision === 'deny' ? reason.value.trim() : '');
  const text = tool.approval?.preview || fallbackPreview(tool);
  const run = preview(text);
  return element(
    'div',
    { class: 'approval', role: 'group', label: strings.approvalAsked },
    tool.approval?.reason ? element('p', {}, tool.approval.reason) : null,
    element('p', {}, isDiff(text) ? strings.willChange : strings.willRun),
    run,
    element(
      'div',
      { class: 'choices' },
      button(strings.allowOnce, choose('once'), { kind: 'primary' }),
      button(strings.deny, choose('deny')),
      button(strings.allowSession, choose('session')),
    ),
    reason,
  );
}

function isDiff(text: string): boolean {
  return /^@@ /m.test(text);
}

/** What will run; of a diff, its lines in their colours. */
function preview(text: string): HTMLElement {
  const run = element('pre', { class: 'run' });
  run.tabIndex = 0;
  if (!isDiff(text)) {
    run.textContent = text;
    return run;
  }
  for (const line of text.trimEnd().split('\n')) {
    const kind = /^(\+\+\+|---|@@)/.test(line) ? 'place' : { '+': 'in', '-': 'out' }[line[0] ?? ''];
    run.append(element('span', { class: `line ${kind ?? ''}` }, `${line}\n`));
  }
  return run;
}

function fallbackPreview(tool: ToolBlock): string {
  return `${tool.name} ${JSON.stringify(tool.arguments, null, 2)}`;
}

const STATE_ICONS = {
  deciding: 'running',
  applied: 'done',
  partly: 'done',
  discarded: 'denied',
} as const;

export function editCard(edit: EditBlock, { strings, edit: act }: CardActions): HTMLElement {
  const words = {
    proposed: '',
    deciding: strings.deciding,
    applied: strings.applied,
    partly: strings.partly,
    discarded: strings.discarded,
    failed: strings.notApplied,
  };
  const card = element(
    'section',
    { class: `card edit ${edit.state}`, label: edit.label },
    element('div', { class: 'edit-label' }, edit.label),
    edit.files.every((file) => edit.label.includes(file))
      ? null
      : element('div', { class: 'edit-files' }, edit.files.join(', ')),
  );
  if (edit.problem !== '') card.append(element('p', { class: 'problem' }, edit.problem));
  if (edit.state === 'proposed' || edit.state === 'failed') {
    card.append(
      element(
        'div',
        { class: 'choices' },
        button(strings.reviewChanges, () => act(edit.id, 'review'), { kind: 'primary' }),
        button(strings.apply, () => act(edit.id, 'apply')),
        button(strings.discard, () => act(edit.id, 'discard')),
      ),
    );
  } else {
    const state = element('div', { class: 'edit-state' });
    state.append(icon(STATE_ICONS[edit.state]), words[edit.state]);
    card.append(state);
  }
  return card;
}
