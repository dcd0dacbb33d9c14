/**
 * Reviews in the editor: both versions of a file in one tab, with a way to accept or discard each
 * hunk above it. The document itself is changed only by what is accepted.
 */

import * as vscode from 'vscode';

import type { Hunk } from '../hunks';
import { Decorations } from './decorations';
import type { EditedFile } from './files';
import { currentText, hasChanged, refused } from './files';
import { hunkLenses } from './lenses';
import type { FileReview, Shown, ShownHunk } from './model';
import {
  accept,
  discard,
  documentLine,
  hunkAt,
  openHunks,
  rebased,
  shown,
  startReview,
} from './model';
import { closeTabs, tabsOf, tabsOfReview } from './tabs';

export const SCHEME = 'quillon-review';

/** How many hunks were accepted, discarded, and left when the review was closed. */
export interface Outcome {
  readonly accepted: number;
  readonly discarded: number;
  readonly open: number;
}

class Entry {
  shown: Shown;
  isOpen = true;
  /** A decision is on its way into the document. */
  isBusy = false;

  constructor(
    readonly file: EditedFile,
    /** The tab's document. */
    readonly tab: vscode.Uri,
    public review: FileReview,
    readonly ended: (problem?: string) => void,
  ) {
    this.shown = shown(review);
  }

  end(problem?: string): void {
    this.isOpen = false;
    this.ended(problem);
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
    // What a restart of the extension left behind: nobody knows any more what it proposed.
    void closeTabs((uri) => uri.scheme === SCHEME);
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
      const ended: FileReview = stopped ? proposed(file) : await this.#reviewFile(file);
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
    // The numbers of the hunks are others as soon as the decision before is carried out.
    if (entry === null || entry.isBusy) return;
    const index = which === 'all' ? undefined : (which ?? this.#atCursor(entry).index);
    if (what === 'accept') await this.#accept(entry, index);
    else entry.change(discard(entry.review, index));
    if (entry.isOpen) this.#refresh(entry);
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

  async #reviewFile(file: EditedFile): Promise<FileReview> {
    const started = await begun(file);
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
    entry.isBusy = true;
    try {
      await this.#check(entry);
      if (entry.isOpen) await this.#apply(entry, index);
    } finally {
      entry.isBusy = false;
    }
  }

  /**
   * Throws a sentence when the file is not what is shown. A file without an editor is closed after
   * some minutes, and then nothing tells of its changes.
   */
  async #check(entry: Entry): Promise<void> {
    const { file, review } = entry;
    if (file.created && review.accepted === 0) return;
    this.#moved(entry, await currentText(file.uri));
    if (!entry.isOpen || entry.review === review) return;
    const name = vscode.workspace.asRelativePath(file.uri);
    throw new Error(vscode.l10n.t('{0} has changed meanwhile. Look at its changes again.', name));
  }

  async #apply(entry: Entry, index: number | undefined): Promise<void> {
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
    await closeTabs(tabsOfReview(entry.tab));
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
      if (entry.file.uri.toString() === uri) this.#moved(entry, document.getText());
    }
  }

  /** The file has another text than the one that is shown. */
  #moved(entry: Entry, text: string): void {
    if (!entry.isOpen || text === entry.review.base) return;
    const moved = rebased(entry.review, text);
    if (moved === null) {
      entry.end(hasChanged(entry.file.uri));
      void closeTabs(tabsOfReview(entry.tab));
    } else {
      entry.change(moved);
      this.#refresh(entry);
    }
  }

  /** A tab that was moved, or was one of two, still stands elsewhere. */
  #closed({ input }: vscode.Tab): void {
    if (!(input instanceof vscode.TabInputText)) return;
    const uri = input.uri.toString();
    const entry = this.#entries.get(uri);
    if (entry === undefined || tabsOf((one) => one.toString() === uri).length > 0) return;
    entry.end();
    void closeTabs(tabsOfReview(entry.tab));
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
    const { activeTextEditor: active, visibleTextEditors: visible } = vscode.window;
    const editors = active === undefined ? visible : [active, ...visible];
    return editors.find(({ document }) => document.uri.toString() === tab);
  }

  #atCursor(entry: Entry): ShownHunk {
    const hunk = hunkAt(entry.shown, this.#editorOf(entry)?.selection.active.line ?? 0);
    if (hunk !== undefined) return hunk;
    throw new Error(vscode.l10n.t('No change is at the cursor or below it. F7 goes to one.'));
  }
}

function proposed({ before, after }: EditedFile): FileReview {
  return startReview(before, after);
}

/** While the files before it were reviewed, a file may have become another. */
async function begun(file: EditedFile): Promise<FileReview> {
  if (file.created) return proposed(file);
  const review = rebased(proposed(file), await currentText(file.uri));
  if (review === null) throw new Error(hasChanged(file.uri));
  return review;
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
