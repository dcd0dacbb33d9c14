/** The line of actions above each hunk of a review. */

import * as vscode from 'vscode';

import type { ShownHunk } from './model';

export function hunkLenses(tab: vscode.Uri, hunks: readonly ShownHunk[]): vscode.CodeLens[] {
  const top = hunks.length > 1 ? allLenses(tab) : [];
  return [...top, ...hunks.flatMap((hunk) => lensesOf(tab, hunk, hunks.length))];
}

function lensesOf(tab: vscode.Uri, hunk: ShownHunk, count: number): vscode.CodeLens[] {
  const range = new vscode.Range(hunk.first, 0, hunk.first, 0);
  const place = vscode.l10n.t(
    'Change {0} of {1} (−{2} +{3})',
    ...[hunk.index + 1, count, hunk.removed, hunk.added],
  );
  return [
    lens(range, vscode.l10n.t('$(check) Accept'), 'quillon.review.accept', tab, hunk.index),
    lens(range, vscode.l10n.t('$(close) Discard'), 'quillon.review.discard', tab, hunk.index),
    lens(range, place, 'quillon.review.next'),
  ];
}

function allLenses(tab: vscode.Uri): vscode.CodeLens[] {
  const range = new vscode.Range(0, 0, 0, 0);
  return [
    lens(range, vscode.l10n.t('$(check-all) Accept all'), 'quillon.review.acceptAll', tab),
    lens(range, vscode.l10n.t('$(close-all) Discard all'), 'quillon.review.discardAll', tab),
  ];
}

function lens(
  range: vscode.Range,
  title: string,
  command: string,
  ...parameters: readonly unknown[]
): vscode.CodeLens {
  return new vscode.CodeLens(range, { title, command, arguments: [...parameters] });
}
