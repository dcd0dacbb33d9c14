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
  if (path.split('/').includes('..')) return null;
  const uri = await fileAt(path);
  if (uri !== null) return uri;
  const glob = path.replace(/[[\]{}*?]/g, '?');
  const [found] = await vscode.workspace.findFiles(`**/${glob}`, undefined, 1);
  return found ?? null;
}

/** The file of the workspace at a path that starts at one of its folders; null where there is none. */
export async function fileAt(path: string): Promise<vscode.Uri | null> {
  const parts = path.split('/');
  if (parts.includes('..')) return null;
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    // With several folders, a name that the list offers begins with that of its folder.
    for (const below of parts[0] === folder.name ? [parts, parts.slice(1)] : [parts]) {
      const uri = vscode.Uri.joinPath(folder.uri, ...below);
      if (await isFile(uri)) return uri;
    }
  }
  return null;
}

async function isFile(uri: vscode.Uri): Promise<boolean> {
  try {
    return ((await vscode.workspace.fs.stat(uri)).type & vscode.FileType.File) !== 0;
  } catch {
    return false;
  }
}
