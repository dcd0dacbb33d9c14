/** A file that the editor shows and does not hand to extensions: it does so with large ones. */

import * as vscode from 'vscode';

/** Characters of the largest file that an editor hands over; a file has at least as many bytes. */
const MOST = 50 * 2 ** 20;

export class Withheld implements vscode.Disposable {
  #active = false;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #listeners: readonly vscode.Disposable[];
  readonly onDidChange = this.#changed.event;

  constructor() {
    const look = (): void => void this.#look();
    this.#listeners = [
      this.#changed,
      vscode.window.tabGroups.onDidChangeTabs(look),
      vscode.window.tabGroups.onDidChangeTabGroups(look),
      vscode.workspace.onDidOpenTextDocument(look),
    ];
    look();
  }

  /** Whether the file that is shown is such a one. */
  get active(): boolean {
    return this.#active;
  }

  dispose(): void {
    this.#listeners.forEach((listener) => void listener.dispose());
  }

  async #look(): Promise<void> {
    const uri = shown();
    const large = uri !== null && !isKnown(uri) && (await size(uri)) > MOST;
    // Another tab may be shown by now, which is looked at by itself.
    if (uri?.toString() !== shown()?.toString()) return;
    const active = large && !isKnown(uri);
    if (active === this.#active) return;
    this.#active = active;
    this.#changed.fire();
  }
}

/** The file of the tab that is shown, where it is one with text. */
function shown(): vscode.Uri | null {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputText ? input.uri : null;
}

function isKnown(uri: vscode.Uri): boolean {
  const wanted = uri.toString();
  return vscode.workspace.textDocuments.some((document) => document.uri.toString() === wanted);
}

async function size(uri: vscode.Uri): Promise<number> {
  try {
    return (await vscode.workspace.fs.stat(uri)).size;
  } catch {
    // What is no file has no size that could be too large.
    return 0;
  }
}
