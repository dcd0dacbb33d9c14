/** One connection to one server process. */

import * as os from 'node:os';
import * as vscode from 'vscode';
import type { ErrorHandler, Middleware, StaticFeature } from 'vscode-languageclient/node';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
} from 'vscode-languageclient/node';

import type { Found } from './discovery';
import { CannotStart, NotServing, ServerProcess } from './process';

const START_SECONDS = 60;
const STOP_MILLISECONDS = 5_000;

export interface ConnectionOptions {
  readonly settings: () => Record<string, unknown>;
  readonly middleware: Middleware;
  readonly log: vscode.LogOutputChannel;
  readonly trace: vscode.LogOutputChannel;
  /** Registers handlers before the connection is made. */
  readonly prepare: (client: LanguageClient) => void;
  /** The connection closed or turned to garbage, after it had been up. Called once. */
  readonly lost: (problem: string) => void;
}

/** Tells the server what this client can do beyond the protocol. */
const experimental: StaticFeature = {
  fillClientCapabilities(capabilities) {
    capabilities.experimental = {
      ...(capabilities.experimental as object | undefined),
      quillon: { chat: true, approve: true },
    };
  },
  initialize() {
    // Nothing depends on the server's answer.
  },
  getState() {
    return { kind: 'static' };
  },
  clear() {
    // Nothing is held.
  },
};

/** Problems are logged; whoever holds the connection shows one message for them. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export class Connection {
  #open = false;
  #ended = false;
  #problem = '';
  #fail: (error: Error) => void = () => {};
  readonly client: LanguageClient;

  private constructor(
    private readonly found: Found,
    private readonly process: ServerProcess,
    private readonly options: ConnectionOptions,
  ) {
    this.client = this.#createClient();
    options.prepare(this.client);
  }

  /**
   * Start a server and shake hands. Rejects with a sentence (`NotServing` where it is of no use to
   * try again), and leaves no process behind.
   */
  static async open(found: Found, options: ConnectionOptions): Promise<Connection> {
    const folder = vscode.workspace.workspaceFolders?.find((one) => one.uri.scheme === 'file');
    const cwd = folder?.uri.fsPath ?? os.homedir();
    const process = await started(found, cwd, options.log);
    const connection = new Connection(found, process, options);
    try {
      await connection.#shakeHands();
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Say goodbye and see the process end. */
  async close(): Promise<void> {
    this.#ended = true;
    try {
      await this.client.dispose(STOP_MILLISECONDS);
    } catch {
      // It was still starting, or is gone already: its process is ended below.
    }
    await this.process.end(this.#open ? STOP_MILLISECONDS : 0);
  }

  async #shakeHands(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
      timer = setTimeout(() => {
        reject(
          new NotServing(
            vscode.l10n.t(
              'The server did not answer within {0} seconds. Try again, or name another Python in quillon.interpreter; the log may say why.',
              START_SECONDS,
            ),
          ),
        );
      }, START_SECONDS * 1000);
    });
    try {
      await Promise.race([this.client.start(), failed]);
      this.#open = true;
    } catch (error) {
      if (error instanceof NotServing) throw error;
      // What the connection says of its end tells nobody why; the process's last words do.
      await this.process.exited(1_000);
      if (this.process.ended) throw new Error(this.#problem || this.#stopped);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #createClient(): LanguageClient {
    const { settings, middleware, log, trace } = this.options;
    const writer = this.process.input;
    const reader = this.process.messages((line) => this.#speaksOtherwise(line));
    const client = new QuietClient(
      'quillon',
      'Quillon',
      () => Promise.resolve({ reader, writer }),
      {
        documentSelector: [{ scheme: 'file' }, { scheme: 'untitled' }],
        initializationOptions: settings,
        outputChannel: log,
        traceOutputChannel: trace,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        middleware,
        errorHandler: this.#errorHandler(),
        // Whoever opens the connection shows one message.
        initializationFailedHandler: () => false,
      },
    );
    client.registerFeature(experimental);
    return client;
  }

  /** Never restarts by itself: whoever holds the connection decides, with a back-off. */
  #errorHandler(): ErrorHandler {
    return {
      error: (error) => {
        this.#lose(
          vscode.l10n.t('The server sent something that is no message: {0}', error.message),
        );
        return { action: ErrorAction.Shutdown, handled: true };
      },
      closed: async () => {
        await this.process.exited(1_000);
        this.#lose(this.#stopped);
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    };
  }

  get #stopped(): string {
    const words = this.process.lastWords;
    return words === ''
      ? vscode.l10n.t('The server stopped unexpectedly.')
      : vscode.l10n.t('The server stopped unexpectedly: {0}', words);
  }

  #speaksOtherwise(line: string): void {
    const problem = vscode.l10n.t(
      '{0} is not Quillon’s server: it said “{1}”. Check the setting quillon.interpreter.',
      this.found.command,
      line,
    );
    if (this.#ended || this.#open) return;
    this.#ended = true;
    this.#fail(new NotServing(problem));
  }

  #lose(problem: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#problem = problem;
    if (this.#open) this.options.lost(problem);
    else this.#fail(new Error(problem));
  }
}

/** The process, or a sentence. */
async function started(
  found: Found,
  cwd: string,
  log: vscode.LogOutputChannel,
): Promise<ServerProcess> {
  try {
    return await ServerProcess.start(found, cwd, (line) => log.info(line));
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    const { command, code } = error;
    if (error.lasts) {
      const problem = vscode.l10n.t(
        'The system cannot start {0} ({1}). Install Quillon anew, or name a Python that has it in quillon.interpreter.',
        ...[command, code],
      );
      throw new NotServing(problem);
    }
    throw new Error(
      vscode.l10n.t(
        'The system did not start {0} ({1}). Close other programs and try again.',
        ...[command, code],
      ),
    );
  }
}
