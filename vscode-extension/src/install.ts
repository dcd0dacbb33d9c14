/** A private virtual environment with the server in it, for people who have only a Python. */

import { spawn } from 'node:child_process';
import * as path from 'node:path';
import * as vscode from 'vscode';

import { interpreter } from './config';
import { OLDEST_PYTHON, onPath, probed, PYTHON_NAMES, tooOld, venvArguments } from './discovery';

/** The interpreter of the private environment, whether or not it exists. */
export function privatePython(storage: vscode.Uri): string {
  const folder = path.join(storage.fsPath, 'server');
  return process.platform === 'win32'
    ? path.join(folder, 'Scripts', 'python.exe')
    : path.join(folder, 'bin', 'python');
}

/** Create the environment and install `requirement`; throws a sentence, or a cancellation. */
export async function install(
  storage: vscode.Uri,
  requirement: string,
  log: vscode.LogOutputChannel,
): Promise<void> {
  const python = await basePython();
  await vscode.workspace.fs.createDirectory(storage);
  await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Installing Quillon'),
      cancellable: true,
    },
    async (progress, token) => {
      const own = privatePython(storage);
      const step = async (message: string, command: string, args: readonly string[]) => {
        progress.report({ message });
        await run(command, args, log, token);
      };
      const folder = path.join(storage.fsPath, 'server');
      const made = await venvArguments(folder, own);
      await step(vscode.l10n.t('making the environment'), python, made);
      await step(vscode.l10n.t('installing; this compiles for some minutes'), own, [
        ...['-I', '-m', 'pip', 'install', '--upgrade', '--disable-pip-version-check'],
        requirement,
      ]);
    },
  );
}

/** The Python that makes the environment: the one that the user named, else one of the PATH. */
async function basePython(): Promise<string> {
  const named = interpreter();
  if (named !== '' && (await isRecent(named))) return named;
  for (const name of PYTHON_NAMES) {
    const candidate = await onPath(name, process.env['PATH'] ?? '');
    if (candidate !== null && (await isRecent(candidate))) return candidate;
  }
  throw new Error(
    vscode.l10n.t(
      'No Python {0} or newer was found. Install one, or name it in quillon.interpreter.',
      OLDEST_PYTHON.join('.'),
    ),
  );
}

async function isRecent(python: string): Promise<boolean> {
  const probe = await probed(python);
  return typeof probe !== 'string' && !tooOld(probe);
}

function run(
  command: string,
  args: readonly string[],
  log: vscode.LogOutputChannel,
  token: vscode.CancellationToken,
): Promise<void> {
  log.info(`${command} ${args.join(' ')}`);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const watch = token.onCancellationRequested(() => child.kill());
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => log.append(text));
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      watch.dispose();
      const reason = error.code ?? error.message;
      const text = vscode.l10n.t(
        '{0} does not start ({1}), so nothing was installed. Try again, or name a Python that runs in quillon.interpreter.',
        ...[command, reason],
      );
      reject(new Error(text));
    });
    child.on('close', (code) => {
      watch.dispose();
      if (token.isCancellationRequested) reject(new vscode.CancellationError());
      else if (code === 0) resolve();
      else reject(new Error(vscode.l10n.t('The installation failed. The log says why.')));
    });
  });
}
