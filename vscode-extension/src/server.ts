/** The server's life: found, started, restarted with a back-off, given up with a sentence. */

import * as vscode from 'vscode';
import type { LanguageClient, Middleware } from 'vscode-languageclient/node';

import { Backoff } from './backoff';
import { Connection, NotServing } from './client';
import * as config from './config';
import type { Found } from './discovery';
import { discover } from './discovery';
import { selectedPython } from './environment';
import { install, privatePython } from './install';
import { Latest } from './latest';

export type ServerState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly connection: Connection; readonly found: Found }
  | { readonly kind: 'failed'; readonly problem: string };

export class Server implements vscode.Disposable {
  #state: ServerState = { kind: 'starting' };
  #wanted = true;
  #timer: NodeJS.Timeout | undefined;
  readonly #changed = new vscode.EventEmitter<ServerState>();
  readonly #backoff = new Backoff();
  readonly #restarts = new Latest(() => this.#startOnce());
  readonly onDidChange = this.#changed.event;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    private readonly trace: vscode.LogOutputChannel,
    private readonly middleware: Middleware,
    /** Registers handlers on a client before it connects. */
    private readonly prepare: (client: LanguageClient) => void,
  ) {}

  get state(): ServerState {
    return this.#state;
  }

  /** The running client; throws a sentence when there is none. */
  get client(): LanguageClient {
    if (this.#state.kind === 'running') return this.#state.connection.client;
    throw new Error(
      this.#state.kind === 'failed'
        ? this.#state.problem
        : vscode.l10n.t('Quillon is still starting. Try again in a moment.'),
    );
  }

  /** Start, or start again; a start that is under way is followed by one more at most. */
  restart(): Promise<void> {
    this.#backoff.forget();
    return this.#restarts.run();
  }

  /** The server's settings, as they are now. */
  settings(): Record<string, unknown> {
    return config.serverSettings(this.context.extension);
  }

  async sendSettings(): Promise<void> {
    if (this.#state.kind !== 'running') return;
    await this.#state.connection.client.sendNotification('workspace/didChangeConfiguration', {
      settings: { quillon: this.settings() },
    });
  }

  async install(): Promise<void> {
    try {
      await install(this.context.globalStorageUri, config.installPackage(), this.log);
    } catch (error) {
      if (!(error instanceof vscode.CancellationError)) await this.#complainAboutInstall(error);
      return;
    }
    await this.restart();
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#timer);
    if (this.#state.kind === 'running') await this.#state.connection.close();
  }

  dispose(): void {
    this.#changed.dispose();
    void this.stop();
  }

  async #startOnce(): Promise<void> {
    clearTimeout(this.#timer);
    const before = this.#state;
    this.#set({ kind: 'starting' });
    if (before.kind === 'running') await before.connection.close();
    if (!this.#wanted) return;
    try {
      await this.#connect();
    } catch (error) {
      if (error instanceof NotServing) this.#giveUp(error.message);
      else this.#crashed(error instanceof Error ? error.message : String(error));
    }
  }

  async #connect(): Promise<void> {
    const { found, tried } = await discover({
      configured: config.interpreter(),
      selected: await selectedPython(),
      searchPath: process.env['PATH'] ?? '',
      privatePython: privatePython(this.context.globalStorageUri),
    });
    tried.forEach((sentence) => this.log.info(sentence));
    if (found === null) {
      this.#notFound(tried);
      return;
    }
    this.log.info(`starting ${found.command} ${found.args.join(' ')}`);
    const connection = await Connection.open(found, {
      settings: () => this.settings(),
      middleware: this.middleware,
      log: this.log,
      trace: this.trace,
      prepare: this.prepare,
      lost: (problem) => this.#crashed(problem),
    });
    this.#set({ kind: 'running', connection, found });
  }

  #set(state: ServerState): void {
    this.#state = state;
    this.#changed.fire(state);
  }

  #crashed(problem: string): void {
    if (!this.#wanted) return;
    this.log.error(problem);
    if (this.#state.kind === 'running') void this.#state.connection.close();
    const delay = this.#backoff.next(Date.now());
    if (delay === null) {
      this.#set({ kind: 'failed', problem });
      void this.#complain(problem);
      return;
    }
    this.log.info(`starting again in ${delay} ms`);
    this.#set({ kind: 'starting' });
    this.#timer = setTimeout(() => void this.#restarts.run(), delay);
  }

  #giveUp(problem: string): void {
    if (!this.#wanted) return;
    this.log.error(problem);
    this.#set({ kind: 'failed', problem });
    void this.#complainAboutProgram(problem);
  }

  #notFound(tried: readonly string[]): void {
    const problem =
      config.interpreter() === ''
        ? vscode.l10n.t('Quillon’s server is not installed.')
        : vscode.l10n.t('Quillon’s server cannot run. {0}', tried.join('; '));
    this.#set({ kind: 'failed', problem });
    void this.#offer(problem);
  }

  async #offer(problem: string): Promise<void> {
    const installIt = vscode.l10n.t('Install');
    const settings = vscode.l10n.t('Open settings');
    const choices = config.interpreter() === '' ? [installIt, settings] : [settings, installIt];
    const choice = await vscode.window.showWarningMessage(problem, ...choices);
    if (choice === installIt) await this.install();
    if (choice === settings) await openSettings();
  }

  async #complain(problem: string): Promise<void> {
    const again = vscode.l10n.t('Try again');
    const log = vscode.l10n.t('Show log');
    const text = vscode.l10n.t('Quillon’s server keeps stopping. {0}', problem);
    const choice = await vscode.window.showErrorMessage(text, again, log);
    if (choice === again) await this.restart();
    if (choice === log) this.log.show();
  }

  async #complainAboutProgram(problem: string): Promise<void> {
    const settings = vscode.l10n.t('Open settings');
    const again = vscode.l10n.t('Try again');
    const log = vscode.l10n.t('Show log');
    const choice = await vscode.window.showErrorMessage(problem, settings, again, log);
    if (choice === settings) await openSettings();
    if (choice === again) await this.restart();
    if (choice === log) this.log.show();
  }

  async #complainAboutInstall(error: unknown): Promise<void> {
    const again = vscode.l10n.t('Try again');
    const log = vscode.l10n.t('Show log');
    const text = error instanceof Error ? error.message : String(error);
    const choice = await vscode.window.showErrorMessage(text, again, log);
    if (choice === again) await this.install();
    if (choice === log) this.log.show();
  }
}

function openSettings(): Thenable<unknown> {
  return vscode.commands.executeCommand('workbench.action.openSettings', 'quillon.interpreter');
}
