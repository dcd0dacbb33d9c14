/** The server's life: found, started, restarted with a back-off, given up with a sentence. */

import * as vscode from 'vscode';
import type { LanguageClient, Middleware } from 'vscode-languageclient/node';

import { Backoff } from './backoff';
import type { Remedy } from './chat/state';
import type { Connection } from './client';
import * as config from './config';
import type { Found, Unfit } from './discovery';
import { discover, OLDEST_PYTHON, unfit } from './discovery';
import { selectedPython } from './environment';
import { install, privatePython } from './install';
import { Latest } from './latest';
import { NotServing } from './process';
import { chooseSource } from './source';

export type ServerState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly connection: Connection; readonly found: Found }
  | {
      readonly kind: 'failed';
      readonly problem: string;
      /** What can be done about it, the likeliest first. */
      readonly remedies: readonly Remedy[];
    };

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

  /**
   * The running client, waited for while the server starts; rejects with a sentence when none comes,
   * and when nobody waits any more.
   */
  async ready(stop?: AbortSignal): Promise<LanguageClient> {
    while (this.#state.kind === 'starting') await this.#change(stop);
    return this.client;
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
    const { client } = this.#state.connection;
    const settings = { quillon: this.settings() };
    try {
      await client.sendNotification('workspace/didChangeConfiguration', { settings });
    } catch {
      // A server that has just died is followed by one that asks for them.
    }
  }

  async install(): Promise<void> {
    try {
      const named = config.installPackage();
      const chosen = named === '' ? await chooseSource() : named;
      if (chosen === null) return;
      await install(this.context.globalStorageUri, chosen, this.log);
      // A source that could not be installed is asked for again.
      if (named === '') await config.rememberInstallPackage(chosen);
    } catch (error) {
      if (!(error instanceof vscode.CancellationError)) await this.#complainAboutInstall(error);
      return;
    }
    await this.#makeWay();
    await this.restart();
  }

  /** Do what the user chose to do about a server that does not run. */
  async remedy(remedy: Remedy): Promise<void> {
    const deeds = {
      install: () => this.install(),
      settings: () =>
        vscode.commands.executeCommand('workbench.action.openSettings', 'quillon.interpreter'),
      restart: () => this.restart(),
      log: () => this.log.show(),
    };
    await deeds[remedy]();
  }

  /** A named Python that cannot run the server would keep what was just installed from running. */
  async #makeWay(): Promise<void> {
    const named = config.interpreter();
    if (named === '' || (await unfit(named)) === null) return;
    await config.forgetInterpreter();
    const text = vscode.l10n.t(
      'Quillon is installed in an environment of its own. The setting quillon.interpreter, which named {0}, is emptied.',
      named,
    );
    void vscode.window.showInformationMessage(text);
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
    tried.map(sentence).forEach((one) => this.log.info(one));
    if (found === null && config.interpreter() === '') {
      const problem = vscode.l10n.t('Quillon’s server is not installed.');
      this.#fail(problem, ['install', 'settings']);
      return;
    }
    if (found === null) {
      this.#fail(tried.map(sentence).join(' '), ['settings', 'install']);
      return;
    }
    this.log.info(`starting ${found.command} ${found.args.join(' ')}`);
    const { Connection } = await import('./client');
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

  /** The next change of the state. */
  async #change(stop?: AbortSignal): Promise<void> {
    stop?.throwIfAborted();
    let listener: vscode.Disposable | undefined;
    let give: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        listener = this.onDidChange(() => resolve());
        give = () => reject(new vscode.CancellationError());
        stop?.addEventListener('abort', give, { once: true });
      });
    } finally {
      listener?.dispose();
      if (give !== undefined) stop?.removeEventListener('abort', give);
    }
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
      const text = vscode.l10n.t('Quillon’s server keeps stopping. {0}', problem);
      this.#fail(problem, ['restart', 'log'], text);
      return;
    }
    this.log.info(`starting again in ${delay} ms`);
    this.#set({ kind: 'starting' });
    this.#timer = setTimeout(() => void this.#restarts.run(), delay);
  }

  #giveUp(problem: string): void {
    if (!this.#wanted) return;
    this.log.error(problem);
    this.#fail(problem, ['settings', 'restart', 'log']);
  }

  /** Say that nothing serves, here and wherever the state is shown. */
  #fail(problem: string, remedies: readonly Remedy[], text = problem): void {
    this.#set({ kind: 'failed', problem, remedies });
    void this.#offer(text, remedies);
  }

  async #offer(text: string, remedies: readonly Remedy[]): Promise<void> {
    const words = {
      install: vscode.l10n.t('Install'),
      settings: vscode.l10n.t('Open settings'),
      restart: vscode.l10n.t('Try again'),
      log: vscode.l10n.t('Show log'),
    };
    const choices = remedies.map((remedy) => ({ title: words[remedy], remedy }));
    // What was never there is no error.
    const { showErrorMessage, showWarningMessage } = vscode.window;
    const show = remedies.includes('install') ? showWarningMessage : showErrorMessage;
    const choice = await show(text, ...choices);
    if (choice !== undefined) await this.remedy(choice.remedy);
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

/** Why an interpreter cannot run the server, and what to do. */
function sentence({ python, reason, version }: Unfit): string {
  const needed = OLDEST_PYTHON.join('.');
  switch (reason) {
    case 'missing':
      return vscode.l10n.t(
        '{0} does not exist. Name another Python in quillon.interpreter.',
        python,
      );
    case 'fails':
      return vscode.l10n.t(
        '{0} does not run as a Python interpreter. Name another one in quillon.interpreter.',
        python,
      );
    case 'old':
      return vscode.l10n.t(
        '{0} is Python {1}; {2} or newer is needed. Name another one in quillon.interpreter.',
        ...[python, version, needed],
      );
    case 'bare':
      return vscode.l10n.t(
        '{0} has no quillon installed. Install it there, or name another Python in quillon.interpreter.',
        python,
      );
  }
}
