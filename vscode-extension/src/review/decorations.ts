/** How the lines of a review look: removed and added ones in the colours of the diff editor. */

import * as vscode from 'vscode';

import type { LineKind, Shown } from './model';

/** A sign at the margin, so that colour is not the only difference. */
function sign(path: string, colour: string): vscode.Uri {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="${path}" stroke="${colour}" stroke-width="1.6"/></svg>`;
  return vscode.Uri.parse(`data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`);
}

const MINUS = 'M4 8h8';
const PLUS = 'M4 8h8M8 4v8';

function look(
  name: 'inserted' | 'removed',
  path: string,
  colour: string,
): vscode.DecorationRenderOptions {
  return {
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor(`diffEditor.${name}LineBackground`),
    overviewRulerColor: new vscode.ThemeColor(`diffEditorOverview.${name}Foreground`),
    overviewRulerLane: vscode.OverviewRulerLane.Full,
    gutterIconPath: sign(path, colour),
    gutterIconSize: 'contain',
  };
}

export class Decorations implements vscode.Disposable {
  readonly #old = vscode.window.createTextEditorDecorationType(look('removed', MINUS, '#d1434b'));
  readonly #new = vscode.window.createTextEditorDecorationType(look('inserted', PLUS, '#3a9d5d'));

  draw(editor: vscode.TextEditor, shown: Shown): void {
    // The editor may still show an older text; its ranges are drawn again when the new one comes.
    const last = Math.min(editor.document.lineCount, shown.kinds.length);
    const ranges = (kind: LineKind): vscode.Range[] =>
      shown.kinds
        .slice(0, last)
        .flatMap((one, line) => (one === kind ? [new vscode.Range(line, 0, line, 0)] : []));
    editor.setDecorations(this.#old, ranges('old'));
    editor.setDecorations(this.#new, ranges('new'));
  }

  dispose(): void {
    this.#old.dispose();
    this.#new.dispose();
  }
}
