/** What goes with a question: what is attached to it, what it names by hand, and what is selected. */

import * as vscode from 'vscode';

import type { Server } from '../server';
import { selection, symbolNamed } from './candidates';
import type { Draft } from './messages';
import { fileAt } from './places';
import { mentions, pathAndLines, SELECTION, typedNames } from './references';
import type { Candidate } from './state';

export interface Attachments {
  readonly references: readonly Candidate[];
  /** A sentence for each mark of the question that stands for nothing. */
  readonly notices: readonly string[];
}

export async function attachmentsOf(
  { text, attached }: Pick<Draft, 'text' | 'attached'>,
  server: Server,
): Promise<Attachments> {
  const chosen = attached.filter((one) => one.uri !== '' && mentions(text, one.label, attached));
  const references = [...chosen];
  const notices: string[] = [];
  for (const name of typedNames(text, chosen)) {
    const found = (await fileNamed(name)) ?? (await symbolNamed(name, server));
    if (found !== null) references.push(found);
    else {
      notices.push(
        vscode.l10n.t('There is no file or symbol {0}; the question goes without it.', name),
      );
    }
  }
  if (!mentions(text, SELECTION, attached)) return { references, notices };
  const selected = selection();
  if (selected !== null) references.push({ ...selected, label: selected.detail });
  else notices.push(vscode.l10n.t('Nothing is selected; the question goes without #selection.'));
  return { references, notices };
}

async function fileNamed(name: string): Promise<Candidate | null> {
  const whole = await fileAt(name);
  const { path, lines } = pathAndLines(name);
  const uri = whole ?? (lines === null ? null : await fileAt(path));
  if (uri === null) return null;
  const row = { label: `@${name}`, detail: '', uri: uri.toString() };
  if (whole !== null || lines === null) return row;
  const [first, last] = lines;
  const [start, end] = [Math.max(0, first - 1), Math.max(first, last)];
  return {
    ...row,
    range: { start: { line: start, character: 0 }, end: { line: end, character: 0 } },
  };
}
