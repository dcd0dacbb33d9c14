/** Which model: those on this machine, those worth downloading, a file, or an address. */

import * as vscode from 'vscode';

import * as config from '../config';
import type { Server } from '../server';
import type { Installed, PullEvent, Recommended } from './catalogue';
import { bytes, Share } from './catalogue';
import { listed, NoAnswer, pulled, quillonCommand, type Command } from './program';

type Choice =
  | { readonly kind: 'use'; readonly setting: string | null }
  | { readonly kind: 'pull'; readonly what: string }
  | { readonly kind: 'file' | 'address' };

type Row = vscode.QuickPickItem & { readonly choice?: Choice };

export class Models implements vscode.Disposable {
  readonly #pulling = new Map<string, AbortController>();

  constructor(
    private readonly server: Server,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  dispose(): void {
    this.#pulling.forEach((stop) => stop.abort());
  }

  async choose(): Promise<void> {
    const row = await vscode.window.showQuickPick<Row>(this.#rows(), {
      title: vscode.l10n.t('Choose a model'),
      placeHolder: vscode.l10n.t('The model that suggests, answers and uses tools'),
      matchOnDescription: true,
      matchOnDetail: true,
    });
    if (row?.choice !== undefined) await this.#follow(row.choice);
  }

  async #follow(choice: Choice): Promise<void> {
    switch (choice.kind) {
      case 'use':
        return config.chooseModel(choice.setting);
      case 'pull':
        return this.#pull(choice.what);
      case 'file': {
        const filters = { GGUF: ['gguf'] };
        const [file] = (await vscode.window.showOpenDialog({ filters })) ?? [];
        if (file !== undefined) await config.chooseModel(file.fsPath);
        return;
      }
      case 'address': {
        const what = await vscode.window.showInputBox({
          title: vscode.l10n.t('Download a model'),
          prompt: vscode.l10n.t(
            'The address of a GGUF file, or owner/repository:file on the Hugging Face Hub',
          ),
          ignoreFocusOut: true,
        });
        if (what !== undefined && what.trim() !== '') await this.#pull(what.trim());
      }
    }
  }

  get #command(): Command | null {
    const { state } = this.server;
    return state.kind === 'running' ? quillonCommand(state.found, vscode.env.language) : null;
  }

  async #rows(): Promise<readonly Row[]> {
    const command = this.#command;
    const others: readonly Row[] = [
      separator(vscode.l10n.t('Others')),
      { label: vscode.l10n.t('$(file) A GGUF file on this machine…'), choice: { kind: 'file' } },
    ];
    if (command === null) return [embeddedRow(false), ...others];
    const chosen = config.modelPath();
    const named = chosen === null ? [] : ['--model', chosen];
    const lists = [
      listed(command, ['model', 'list', ...named]),
      listed(command, ['model', 'list', '--recommended']),
    ];
    const [here, worth] = await Promise.all(lists).catch((error: unknown) => {
      throw new Error(this.#problem(error), { cause: error });
    });
    const installed = here as readonly Installed[];
    const recommended = worth as readonly Recommended[];
    const known = new Set(recommended.map(({ path }) => path));
    return [
      separator(vscode.l10n.t('On this machine')),
      ...installed
        .map((model, index) => ({ model, used: index === 0 }))
        .filter(({ model, used }) => used || !known.has(model.path))
        .map(({ model, used }) => installedRow(model, used)),
      separator(vscode.l10n.t('Recommended')),
      ...recommended.filter((one) => one.path !== installed[0]?.path).map(recommendedRow),
      ...others,
      {
        label: vscode.l10n.t('$(cloud-download) Download from an address…'),
        choice: { kind: 'address' },
      },
    ];
  }

  async #pull(what: string): Promise<void> {
    const command = this.#command;
    if (command === null)
      throw new Error(vscode.l10n.t('Quillon’s server does not run; it downloads models.'));
    if (this.#pulling.has(what)) {
      throw new Error(vscode.l10n.t('{0} is being downloaded already.', what));
    }
    const stop = new AbortController();
    this.#pulling.set(what, stop);
    try {
      const setting = await this.#watched(command, what, stop);
      if (setting === null) {
        const kept = vscode.l10n.t(
          'The download was stopped. What came is kept: choose {0} again to go on.',
          what,
        );
        void vscode.window.showInformationMessage(kept);
        return;
      }
      await config.chooseModel(setting);
      void vscode.window.showInformationMessage(
        vscode.l10n.t('{0} is in use now.', shortName(what)),
      );
    } catch (error) {
      void this.#complain(what, this.#problem(error));
    } finally {
      this.#pulling.delete(what);
    }
  }

  #watched(command: Command, what: string, stop: AbortController): Thenable<string | null> {
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Downloading {0}', shortName(what)),
      cancellable: true,
    };
    return vscode.window.withProgress(options, (progress, token) => {
      token.onCancellationRequested(() => stop.abort());
      const share = new Share();
      const tell = (event: PullEvent): void => {
        if (event.event === 'retry') this.log.warn(event.message);
        progress.report(report(event, share));
      };
      return pulled(command, what, tell, stop.signal);
    });
  }

  /** What went wrong, for a person; what the program complained about is in the log. */
  #problem(error: unknown): string {
    if (!(error instanceof NoAnswer)) return error instanceof Error ? error.message : String(error);
    this.log.error(`${error.message}\n${error.output}`.trimEnd());
    return vscode.l10n.t(
      'Quillon’s program for models ended without an answer ({0}). Restart the server and try again; the log may say why.',
      error.end,
    );
  }

  async #complain(what: string, problem: string): Promise<void> {
    this.log.error(problem);
    const again = vscode.l10n.t('Try again');
    if ((await vscode.window.showErrorMessage(problem, again)) === again) await this.#pull(what);
  }
}

function report(event: PullEvent, share: Share): { message?: string; increment?: number } {
  switch (event.event) {
    case 'found':
      return { message: '', increment: share.step(event.have, event.size) };
    case 'progress': {
      const { done, total } = event;
      const message =
        total === null ? bytes(done) : vscode.l10n.t('{0} of {1}', bytes(done), bytes(total));
      return { message, increment: share.step(done, total) };
    }
    case 'checking':
      return { message: vscode.l10n.t('checking') };
    case 'retry':
      return { message: vscode.l10n.t('the connection broke; trying again') };
    case 'pulled':
      return {};
  }
}

/** Of an address its last part. */
function shortName(what: string): string {
  return what.split(/[/:]/).at(-1) || what;
}

function separator(label: string): Row {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

function embeddedRow(used: boolean): Row {
  return {
    label: `$(${used ? 'check' : 'chip'}) ${vscode.l10n.t('The model that comes with Quillon')}`,
    detail: vscode.l10n.t('Small and quick to start; for a first look.'),
    choice: { kind: 'use', setting: null },
  };
}

function installedRow(model: Installed, used: boolean): Row {
  if (model.source === 'embedded') return embeddedRow(used);
  if (model.problem) {
    return { label: `$(warning) ${model.name}`, detail: model.problem, choice: { kind: 'file' } };
  }
  return {
    label: `$(${used ? 'check' : 'chip'}) ${model.name}`,
    description: [model.quantisation, bytes(model.size)].join(', '),
    detail: model.path,
    choice: { kind: 'use', setting: model.path },
  };
}

function recommendedRow(model: Recommended): Row {
  const { name, title, purpose, size, licence } = model;
  const here = model.pulled ? vscode.l10n.t('downloaded') : bytes(size);
  const tight = model.fits ? '' : vscode.l10n.t('needs more memory than is free');
  return {
    label: `$(${model.pulled ? 'chip' : 'cloud-download'}) ${title}`,
    description: [here, tight].filter(Boolean).join(', '),
    detail: [purpose, licence].join(' · '),
    choice: model.pulled ? { kind: 'use', setting: name } : { kind: 'pull', what: name },
  };
}
