/** The status bar item: state and model at a glance, the reason for no suggestion on hover. */

import * as vscode from 'vscode';

import { suggests } from './config';
import type { StatusParams } from './protocol';
import type { Server } from './server';
import type { Snooze } from './snooze';
import type { Withheld } from './withheld';

export class StatusItem implements vscode.Disposable {
  #status: StatusParams | null = null;
  readonly #item = vscode.window.createStatusBarItem(
    'quillon',
    vscode.StatusBarAlignment.Right,
    100,
  );
  readonly #listeners: vscode.Disposable[];
  #tick: NodeJS.Timeout | undefined;

  constructor(
    private readonly server: Server,
    private readonly snooze: Snooze,
    private readonly withheld: Withheld,
  ) {
    this.#item.name = 'Quillon';
    this.#item.command = 'quillon.menu';
    this.#listeners = [
      this.#item,
      server.onDidChange(({ kind }) => {
        // What the last server said is not known of the next one.
        if (kind !== 'running') this.#status = null;
        this.draw();
      }),
      vscode.window.onDidChangeActiveTextEditor(() => this.draw()),
      withheld.onDidChange(() => this.draw()),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('quillon.inline')) this.draw();
      }),
    ];
    this.draw();
    this.#item.show();
  }

  dispose(): void {
    clearInterval(this.#tick);
    this.#listeners.forEach((listener) => void listener.dispose());
  }

  update(status: StatusParams): void {
    this.#status = status;
    this.draw();
  }

  get status(): StatusParams | null {
    return this.#status;
  }

  /** Why there is no suggestion where the user is; empty where nothing is known. */
  get reason(): string {
    if (!this.withheld.active) return this.#status?.noSuggestion ?? '';
    return vscode.l10n.t(
      'This file is larger than 50 MB. The editor hands no such file to extensions, so nothing is suggested in it.',
    );
  }

  draw(): void {
    const { text, problem } = this.#summary();
    this.#item.text = text;
    this.#item.tooltip = this.#tooltip();
    const heard = this.withheld.active && !problem ? `. ${this.reason}` : '';
    const label = `Quillon: ${this.#sentence()}${heard}`;
    this.#item.accessibilityInformation = { label, role: 'button' };
    this.#item.backgroundColor = problem
      ? new vscode.ThemeColor('statusBarItem.warningBackground')
      : undefined;
    this.#watchSnooze();
  }

  #summary(): { readonly text: string; readonly problem: boolean } {
    const state = this.server.state.kind;
    if (state === 'failed') return { text: '$(warning) Quillon', problem: true };
    if (state === 'starting' || this.#status === null)
      return { text: '$(loading~spin) Quillon', problem: false };
    switch (this.#status.state) {
      case 'failed':
        return { text: '$(warning) Quillon', problem: true };
      case 'loading':
      case 'downloading':
        return { text: `$(loading~spin) Quillon${percent(this.#status)}`, problem: false };
      case 'busy':
        return { text: '$(sync~spin) Quillon', problem: false };
      default:
        return {
          text: `${this.#quiet() ? '$(bell-slash)' : '$(sparkle)'} Quillon`,
          problem: false,
        };
    }
  }

  #quiet(): boolean {
    const language = vscode.window.activeTextEditor?.document.languageId;
    if (this.snooze.active || this.withheld.active) return true;
    return language !== undefined && !suggests(language);
  }

  #sentence(): string {
    const { state } = this.server;
    if (state.kind === 'failed') return state.problem;
    if (state.kind === 'starting') return vscode.l10n.t('starting');
    const words = {
      absent: vscode.l10n.t('model not loaded'),
      downloading: vscode.l10n.t('downloading the model'),
      loading: vscode.l10n.t('loading the model'),
      ready: vscode.l10n.t('ready'),
      busy: vscode.l10n.t('working'),
      failed: vscode.l10n.t('the engine failed'),
    };
    return this.#status === null ? vscode.l10n.t('starting') : words[this.#status.state];
  }

  #tooltip(): vscode.MarkdownString {
    const text = new vscode.MarkdownString();
    const line = (content: string): void => {
      text.appendText(content).appendMarkdown('\n\n');
    };
    line(`Quillon: ${this.#sentence()}`);
    const status = this.#status;
    if (status !== null && status.model !== '') line(modelLine(status));
    if (status !== null && status.message !== '') line(status.message);
    if (this.snooze.active) {
      line(vscode.l10n.t('Suggestions are silenced for {0} minutes.', this.snooze.minutesLeft));
    } else if (this.reason !== '') {
      line(vscode.l10n.t('No suggestion: {0}', this.reason));
    } else if (status?.echoed) {
      line(vscode.l10n.t('The last suggestion is what your open files say elsewhere.'));
    }
    return text;
  }

  #watchSnooze(): void {
    clearInterval(this.#tick);
    if (this.snooze.active) this.#tick = setInterval(() => this.draw(), 20_000);
  }
}

function modelLine(status: StatusParams): string {
  const speed =
    status.tokensPerSecond > 0 ? vscode.l10n.t('{0} tokens/s', status.tokensPerSecond) : '';
  const context = status.context > 0 ? vscode.l10n.t('{0} tokens of context', status.context) : '';
  return [vscode.l10n.t('Model: {0}', status.model), context, speed].filter(Boolean).join(', ');
}

function percent(status: StatusParams): string {
  return status.progress === null ? '' : ` ${Math.round(status.progress * 100)} %`;
}
