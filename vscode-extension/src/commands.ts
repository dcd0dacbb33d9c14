/** Every command in one table, and the menu behind the status bar item. */

import * as vscode from 'vscode';

import { RUN, runAction } from './actions';
import type { ChatPanel } from './chat/panel';
import { selection } from './chat/candidates';
import * as config from './config';
import type { Models } from './models/picker';
import type { CodeAction } from './protocol';
import { reportProblem } from './report';
import type { Reviews } from './review/reviews';
import type { Server } from './server';
import type { Snooze } from './snooze';
import type { StatusItem } from './status';
import type { Switch } from './switches';
import { switches } from './switches';
import type { Writing } from './writing';

export interface Parts {
  readonly context: vscode.ExtensionContext;
  readonly server: Server;
  readonly chat: ChatPanel;
  readonly reviews: Reviews;
  readonly writing: Writing;
  readonly models: Models;
  readonly status: StatusItem;
  readonly snooze: Snooze;
  readonly log: vscode.LogOutputChannel;
  /** The last lines of the log. */
  readonly recent: () => readonly string[];
}

type Command = (...parameters: never[]) => unknown;

export function registerCommands(parts: Parts): vscode.Disposable[] {
  return Object.entries(table(parts)).map(([name, run]) =>
    vscode.commands.registerCommand(name, async (...parameters: unknown[]) => {
      try {
        await run(...(parameters as never[]));
      } catch (error) {
        if (isCancelled(error)) return;
        const text = error instanceof Error ? error.message : String(error);
        void vscode.window.showErrorMessage(text);
      }
    }),
  );
}

/** `RequestCancelled` of the protocol. */
const CANCELLED = -32800;

/** The user stopped it and knows. */
function isCancelled(error: unknown): boolean {
  if (error instanceof vscode.CancellationError) return true;
  return error instanceof Error && 'code' in error && error.code === CANCELLED;
}

function table(parts: Parts): Readonly<Record<string, Command>> {
  const { server, chat, reviews, writing, models, log } = parts;
  return {
    'quillon.openChat': () => chat.show(),
    'quillon.newChat': () => chat.startNew(),
    'quillon.showConversations': () => chat.toggleList(),
    'quillon.renameChat': () => chat.library.rename(chat.library.shown),
    'quillon.exportChat': () => chat.library.export(chat.library.shown),
    'quillon.deleteChat': () => chat.library.delete(chat.library.shown),
    'quillon.review.accept': (tab?: vscode.Uri, index?: number) =>
      reviews.decide('accept', tab, index),
    'quillon.review.discard': (tab?: vscode.Uri, index?: number) =>
      reviews.decide('discard', tab, index),
    'quillon.review.acceptAll': (tab?: vscode.Uri) => reviews.decide('accept', tab, 'all'),
    'quillon.review.discardAll': (tab?: vscode.Uri) => reviews.decide('discard', tab, 'all'),
    'quillon.review.next': () => reviews.step(1),
    'quillon.review.previous': () => reviews.step(-1),
    'quillon.review.compare': () => reviews.compare(),
    [RUN]: (action: CodeAction) => runAction(server.client, reviews, writing, action),
    'quillon.explainSelection': () => explain(chat),
    'quillon.addSelectionToChat': () => chat.attachSelection(),
    'quillon.restart': () => server.restart(),
    'quillon.install': () => server.install(),
    'quillon.showLog': () => log.show(),
    'quillon.snooze': () => chooseSnooze(parts),
    'quillon.toggleLanguage': toggleLanguage,
    'quillon.toggleSuggestions': () => config.toggleSuggestions(),
    'quillon.chooseModel': () => models.choose(),
    'quillon.reportProblem': () => reportProblem(parts),
    'quillon.menu': () => showMenu(parts),
  };
}

async function explain(chat: ChatPanel): Promise<void> {
  const selected = selection();
  if (selected === null) throw new Error(vscode.l10n.t('Select the code to explain first.'));
  await chat.ask({
    text: vscode.l10n.t('Explain this code.'),
    references: [{ uri: selected.uri, ...(selected.range && { range: selected.range }) }],
  });
}

async function chooseSnooze({ snooze, status }: Parts): Promise<void> {
  const minutes = [5, 15, 60, 240];
  const rows = minutes.map((count) => ({ label: vscode.l10n.t('{0} minutes', count), count }));
  const end = { label: vscode.l10n.t('Suggest again now'), count: 0 };
  const choice = await vscode.window.showQuickPick(snooze.active ? [end, ...rows] : rows, {
    placeHolder: vscode.l10n.t('No suggestions for'),
  });
  if (choice === undefined) return;
  snooze.set(choice.count);
  status.draw();
}

async function toggleLanguage(): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId;
  if (language === undefined) throw new Error(vscode.l10n.t('Open a file of the language first.'));
  await config.toggleLanguage(language);
}

/** A switch as a row of the menu. */
function rowOf(it: Switch): vscode.QuickPickItem & { readonly command: string } {
  if (it.kind === 'everywhere') {
    return {
      label: vscode.l10n.t('$(check) Turn suggestions on'),
      command: 'quillon.toggleSuggestions',
    };
  }
  return {
    label: it.on
      ? vscode.l10n.t('$(circle-slash) Do not suggest in {0}', it.language)
      : vscode.l10n.t('$(check) Suggest in {0}', it.language),
    command: 'quillon.toggleLanguage',
  };
}

async function showMenu({ status, snooze }: Parts): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId;
  const rows: (vscode.QuickPickItem & { readonly command: string })[] = [
    { label: vscode.l10n.t('$(comment-discussion) Open the chat'), command: 'quillon.openChat' },
    {
      label: snooze.active
        ? vscode.l10n.t('$(bell) Suggest again')
        : vscode.l10n.t('$(bell-slash) Silence suggestions for a while'),
      command: 'quillon.snooze',
    },
    ...switches(config.suggestsAnywhere(), config.disabledLanguages(), language).map(rowOf),
    { label: vscode.l10n.t('$(chip) Choose a model'), command: 'quillon.chooseModel' },
    { label: vscode.l10n.t('$(debug-restart) Restart the server'), command: 'quillon.restart' },
    { label: vscode.l10n.t('$(output) Show the log'), command: 'quillon.showLog' },
    { label: vscode.l10n.t('$(bug) Report a problem'), command: 'quillon.reportProblem' },
  ];
  const { reason } = status;
  const placeHolder = reason ? vscode.l10n.t('No suggestion: {0}', reason) : 'Quillon';
  const choice = await vscode.window.showQuickPick(rows, { placeHolder });
  if (choice !== undefined) await vscode.commands.executeCommand(choice.command);
}
