/**
 * Reviews in the editor: both versions of a file in one tab, with a way to accept or discard each
 * hunk above it. The document itself is changed only by what is accepted.
 */

import * as vscode from 'vscode';

import type { Hunk } from '../hunks';
import { Decorations } from './decorations';
import type { EditedFile } from './files';
import { hasChanged, refused } from './files';
import { hunkLenses } from './lenses';
import type { FileReview, Shown, ShownHunk } from './model';
import { accept, discard, documentLine, openHunks, rebased, shown, startReview } from './model';

export const SCHEME = 'quillon-review';

/** How many hunks were accepted, discarded, and left when the review was closed. */
export interface Outcome {
  readonly accepted: number;
  readonly discarded: number;
  readonly open: number;
}

class Entry {
  shown: Shown;

  constructor(
    readonly file: EditedFile,
    /** The tab's document. */
    readonly tab: vscode.Uri,
    public review: FileReview,
    readonly end: (problem?: string) => void,
  ) {
    this.shown = shown(review);
  }

  change(review: FileReview): void {
    this.review = review;
    this.shown = shown(review);
  }
}

export class Reviews
  implements vscode.TextDocumentContentProvider, vscode.CodeLensProvider, vscode.Disposable
{
  readonly #entries = new Map<string, Entry>();
  readonly #contents = new vscode.EventEmitter<vscode.Uri>();
  readonly #lenses = new vscode.EventEmitter<void>();
  readonly #decorations = new Decorations();
  readonly #listeners: readonly vscode.Disposable[];
  #count = 0;
  readonly onDidChange = this.#contents.event;
  readonly onDidChangeCodeLenses = this.#lenses.event;

  constructor() {
    this.#listeners = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.languages.registerCodeLensProvider({ scheme: SCHEME }, this),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#documentChanged(document)),
      vscode.window.onDidChangeVisibleTextEditors(() => this.#draw()),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) =>
        closed.forEach((tab) => this.#closed(tab)),
      ),
      ...[this.#contents, this.#lenses, this.#decorations],
    ];
  }

  dispose(): void {
    this.#entries.forEach((entry) => entry.end());
    this.#listeners.forEach((listener) => void listener.dispose());
  }

  /** Show one file after the other; ends early when the user closes a tab. */
  async review(files: readonly EditedFile[]): Promise<Outcome> {
    const sum = { accepted: 0, discarded: 0, open: 0 };
    let stopped = false;
    for (const file of files) {
      const started = startReview(file.before, file.after);
      const ended: FileReview = stopped ? started : await this.#reviewFile(file, started);
      const open = openHunks(ended).length;
      stopped ||= open > 0;
      sum.accepted += ended.accepted;
      sum.discarded += ended.discarded;
      sum.open += open;
    }
    return sum;
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    const entry = this.#entries.get(uri.with({ query: '' }).toString());
    if (entry === undefined) return '';
    if (uri.query === 'before') return entry.review.base;
    return uri.query === 'after' ? entry.review.target : entry.shown.text;
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const entry = this.#entries.get(document.uri.toString());
    return entry === undefined ? [] : hunkLenses(document.uri, entry.shown.hunks);
  }

  /** Accept or discard the hunk with this number, else the one at the cursor, else all. */
  async decide(
    what: 'accept' | 'discard',
    tab?: vscode.Uri,
    which?: number | 'all',
  ): Promise<void> {
    const entry = this.#entry(tab);
    if (entry === null) return;
    const index = which === 'all' ? undefined : (which ?? this.#atCursor(entry)?.index);
    if (index === undefined && which !== 'all') return;
    if (what === 'accept') await this.#accept(entry, index);
    else entry.change(discard(entry.review, index));
    this.#refresh(entry);
  }

  /** Move the cursor to the next hunk, or the one before. */
  step(direction: 1 | -1): void {
    const entry = this.#entry();
    const editor = this.#editorOf(entry);
    if (entry === null || editor === undefined) return;
    const line = editor.selection.active.line;
    const { hunks } = entry.shown;
    const next =
      direction === 1
        ? (hunks.find(({ first }) => first > line) ?? hunks[0])
        : (hunks.findLast(({ last }) => last <= line) ?? hunks.at(-1));
    if (next !== undefined) reveal(editor, next.first);
  }

  async compare(): Promise<void> {
    const entry = this.#entry();
    if (entry === null) return;
    const title = vscode.l10n.t(
      '{0}: proposed changes',
      vscode.workspace.asRelativePath(entry.file.uri),
    );
    const [left, right] = ['before', 'after'].map((query) => entry.tab.with({ query }));
    await vscode.commands.executeCommand('vscode.diff', left, right, title);
  }

  async #reviewFile(file: EditedFile, started: FileReview): Promise<FileReview> {
    if (openHunks(started).length === 0) return started;
    const name = file.uri.path.split('/').at(-1) ?? '';
    const tab = vscode.Uri.from({
      scheme: SCHEME,
      path: `/${++this.#count}/${vscode.l10n.t('Review {0}', name)}`,
    });
    const ended = new Promise<string | undefined>((resolve) => {
      this.#entries.set(tab.toString(), new Entry(file, tab, started, resolve));
    });
    const entry = this.#entries.get(tab.toString());
    const document = await vscode.workspace.openTextDocument(tab);
    const editor = await vscode.window.showTextDocument(document, { preview: false });
    reveal(editor, entry?.shown.hunks[0]?.first ?? 0);
    this.#draw();
    const problem = await ended;
    this.#entries.delete(tab.toString());
    if (problem !== undefined) throw new Error(problem);
    return entry?.review ?? started;
  }

  async #accept(entry: Entry, index: number | undefined): Promise<void> {
    const hunks = openHunks(entry.review);
    const chosen = index === undefined ? hunks : hunks.slice(index, index + 1);
    const before = entry.review;
    // The change that comes back from the editor is the one already known.
    entry.change(accept(before, index));
    const edit = changes(entry.file, before, chosen);
    if (await vscode.workspace.applyEdit(edit)) return;
    entry.change(before);
    throw new Error(refused());
  }

  #refresh(entry: Entry): void {
    this.#contents.fire(entry.tab);
    for (const query of ['before', 'after']) this.#contents.fire(entry.tab.with({ query }));
    this.#lenses.fire();
    if (entry.shown.hunks.length === 0) void this.#finish(entry);
  }

  /** Everything is decided: the tab gives way to the file. */
  async #finish(entry: Entry): Promise<void> {
    const line = documentLine(entry.shown, this.#editorOf(entry)?.selection.active.line ?? 0);
    entry.end();
    await closeTabs(entry.tab);
    if (entry.file.created && entry.review.accepted === 0) return;
    const editor = await vscode.window.showTextDocument(entry.file.uri, { preview: false });
    if (entry.review.accepted > 0) reveal(editor, Math.min(line, editor.document.lineCount - 1));
  }

  #documentChanged(document: vscode.TextDocument): void {
    if (document.uri.scheme === SCHEME) {
      this.#draw();
      return;
    }
    const uri = document.uri.toString();
    for (const entry of this.#entries.values()) {
      if (entry.file.uri.toString() !== uri) continue;
      const text = document.getText();
      if (text === entry.review.base) continue;
      const moved = rebased(entry.review, text);
      if (moved === null) {
        entry.end(hasChanged(document.uri));
        void closeTabs(entry.tab);
      } else {
        entry.change(moved);
        this.#refresh(entry);
      }
    }
  }

  #closed(tab: vscode.Tab): void {
    if (tab.input instanceof vscode.TabInputText)
      this.#entries.get(tab.input.uri.toString())?.end();
  }

  #draw(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      const entry = this.#entries.get(editor.document.uri.toString());
      if (entry !== undefined) this.#decorations.draw(editor, entry.shown);
    }
  }

  #entry(tab = vscode.window.activeTextEditor?.document.uri): Entry | null {
    return this.#entries.get(tab?.with({ query: '' }).toString() ?? '') ?? null;
  }

  #editorOf(entry: Entry | null): vscode.TextEditor | undefined {
    const tab = entry?.tab.toString();
    return vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === tab);
  }

  #atCursor(entry: Entry): ShownHunk | undefined {
    const line = this.#editorOf(entry)?.selection.active.line ?? 0;
    const { hunks } = entry.shown;
    return (
      hunks.find(({ first, last }) => first <= line && line < last) ??
      hunks.find(({ first }) => first > line) ??
      hunks[0]
    );
  }
}

function changes(
  { uri, created }: EditedFile,
  review: FileReview,
  hunks: readonly Hunk[],
): vscode.WorkspaceEdit {
  const edit = new vscode.WorkspaceEdit();
  if (created && review.accepted === 0) edit.createFile(uri, { ignoreIfExists: false });
  for (const { start, end, text } of hunks)
    edit.replace(uri, new vscode.Range(start, 0, end, 0), text);
  return edit;
}

function reveal(editor: vscode.TextEditor, line: number): void {
  const at = new vscode.Position(line, 0);
  editor.selection = new vscode.Selection(at, at);
  editor.revealRange(
    new vscode.Range(at, at),
    vscode.TextEditorRevealType.InCenterIfOutsideViewport,
  );
}

async function closeTabs(uri: vscode.Uri): Promise<void> {
  const tabs = vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .filter(({ input }) =>
      uris(input).some((one) => one.with({ query: '' }).toString() === uri.toString()),
    );
  await vscode.window.tabGroups.close(tabs);
}

function uris(input: unknown): readonly vscode.Uri[] {
  if (input instanceof vscode.TabInputText) return [input.uri];
  return input instanceof vscode.TabInputTextDiff ? [input.original, input.modified] : [];
}
