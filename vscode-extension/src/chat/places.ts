/** Opens the `path:line` places that an answer names, inside the workspace only. */

import * as vscode from 'vscode';

/** Show a place; false when the workspace has no such file. */
export async function openPlace(path: string, line: number): Promise<boolean> {
  const uri = await located(path);
  if (uri === null) return false;
  const document = await vscode.workspace.openTextDocument(uri);
  const at = new vscode.Position(Math.min(Math.max(line - 1, 0), document.lineCount - 1), 0);
  await vscode.window.showTextDocument(document, { selection: new vscode.Range(at, at) });
  return true;
}

async function located(path: string): Promise<vscode.Uri | null> {
  const parts = path.split('/');
  if (parts.includes('..')) return null;
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    const uri = vscode.Uri.joinPath(folder.uri, ...parts);
    if (await isFile(uri)) return uri;
  }
  const glob = path.replace(/[[\]{}*?]/g, '?');
  const [found] = await vscode.workspace.findFiles(`**/${glob}`, undefined, 1);
  return found ?? null;
}

async function isFile(uri: vscode.Uri): Promise<boolean> {
  try {
    return ((await vscode.workspace.fs.stat(uri)).type & vscode.FileType.File) !== 0;
  } catch {
    return false;
  }
}
