/**
 * Where Quillon is installed from. It is on no package index, and a package of its name there would
 * be a stranger's: only the user can say where a clone or a wheel lies.
 */

import * as vscode from 'vscode';

import { isClone } from './clone';

/** A clone's folder or a wheel file; null where the user chose none. Throws a sentence. */
export async function chooseSource(): Promise<string | null> {
  const folder = { label: vscode.l10n.t('$(folder) A folder with a clone of Quillon…') };
  const wheel = { label: vscode.l10n.t('$(package) A wheel file of Quillon…') };
  const row = await vscode.window.showQuickPick([folder, wheel], {
    title: vscode.l10n.t('Install Quillon'),
    placeHolder: vscode.l10n.t(
      'Quillon is on no package index: it is installed from a clone of its repository, or from a wheel file built there.',
    ),
    ignoreFocusOut: true,
  });
  if (row === undefined) return null;
  return row === folder ? chooseClone() : chooseWheel();
}

async function chooseClone(): Promise<string | null> {
  const [folder] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('The folder with a clone of Quillon'),
      canSelectFiles: false,
      canSelectFolders: true,
    })) ?? [];
  if (folder === undefined) return null;
  if (await isClone(folder.fsPath)) return folder.fsPath;
  throw new Error(
    vscode.l10n.t(
      '{0} is no clone of Quillon: no pyproject.toml of it is there. Choose the folder that holds it.',
      folder.fsPath,
    ),
  );
}

async function chooseWheel(): Promise<string | null> {
  const [file] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('A wheel file of Quillon'),
      filters: { [vscode.l10n.t('Wheel')]: ['whl'] },
    })) ?? [];
  return file?.fsPath ?? null;
}
