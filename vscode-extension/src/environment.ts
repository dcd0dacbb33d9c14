/** The environment selected in the Python extension, where that extension is installed. */

import * as vscode from 'vscode';

import { orNull } from './patience';

/** Milliseconds that the Python extension may take: it may ask conda, which is slow. */
const PATIENCE = 30_000;

interface ResolvedEnvironment {
  readonly executable: { readonly uri?: vscode.Uri };
}

/** The part of the Python extension's public API that is used. */
interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(path: { readonly path: string }): Promise<ResolvedEnvironment | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function pythonApi(): Promise<PythonApi | null> {
  const extension = vscode.extensions.getExtension<Partial<PythonApi>>('ms-python.python');
  if (extension === undefined) return null;
  try {
    const api = await extension.activate();
    return api.environments === undefined ? null : { environments: api.environments };
  } catch {
    // A Python extension that fails is one that is not there.
    return null;
  }
}

/**
 * The selected interpreter, null where the Python extension knows none or does not say it. A folder
 * that is not trusted chooses no program.
 */
export async function selectedPython(): Promise<string | null> {
  return vscode.workspace.isTrusted ? orNull(activePython, PATIENCE) : null;
}

async function activePython(): Promise<string | null> {
  const api = await pythonApi();
  if (api === null) return null;
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const environment = await api.environments.resolveEnvironment(
    api.environments.getActiveEnvironmentPath(folder),
  );
  return environment?.executable.uri?.fsPath ?? null;
}

/** Calls back when another environment is selected. */
export async function onSelectedPython(changed: () => void): Promise<vscode.Disposable> {
  const api = await pythonApi();
  return (
    api?.environments.onDidChangeActiveEnvironmentPath(changed) ?? new vscode.Disposable(() => {})
  );
}
