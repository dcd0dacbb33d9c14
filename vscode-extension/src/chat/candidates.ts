/** What `@` and `#` offer: files, symbols and the selection. */

import * as vscode from 'vscode';

import type { Range } from '../protocol';
import * as requests from '../requests';
import type { Server } from '../server';
import { SELECTION } from './references';
import type { Candidate } from './state';

const MOST = 12;
/** Milliseconds that a row may take: a large workspace is still being read when it is first asked. */
const PATIENCE = 1_500;

/** The rows for a name being typed; the selection is offered for `#`. */
export async function candidates(query: string, server: Server): Promise<readonly Candidate[]> {
  if (query.startsWith('#')) {
    return [{ label: SELECTION, detail: vscode.l10n.t('the selected code'), uri: '' }];
  }
  const [files, symbols] = await Promise.all([filesNamed(query), symbolsNamed(query, server)]);
  return [...files.slice(0, MOST - Math.min(symbols.length, MOST / 2)), ...symbols].slice(0, MOST);
}

async function filesNamed(query: string): Promise<readonly Candidate[]> {
  const open = vscode.workspace.textDocuments
    .filter((document) => document.uri.scheme === 'file')
    .map((document) => document.uri);
  const pattern = query.replace(/./gu, escaped);
  const found = await vscode.workspace.findFiles(`**/*${pattern}*`, undefined, MOST * 2);
  const rows = new Map<string, Candidate>();
  for (const uri of [...open, ...found]) {
    const name = vscode.workspace.asRelativePath(uri);
    if (name.toLowerCase().includes(query.toLowerCase())) {
      rows.set(name, { label: `@${name}`, detail: '', uri: uri.toString() });
    }
  }
  return [...rows.values()].slice(0, MOST);
}

/** A letter that a glob reads as itself, in either case. */
function escaped(letter: string): string {
  if (letter.toLowerCase() !== letter.toUpperCase()) {
    return `[${letter.toLowerCase()}${letter.toUpperCase()}]`;
  }
  return /[\w./-]/.test(letter) ? letter : '?';
}

/** Symbols as our server knows them, with all their lines, and what other servers know besides. */
async function symbolsNamed(query: string, server: Server): Promise<readonly Candidate[]> {
  if (query.length < 2) return [];
  const [own, others] = await Promise.all([
    inTime(ownSymbols(query, server)),
    inTime(othersSymbols(query)),
  ]);
  const isKnown = ({ uri, range }: Candidate): boolean =>
    own.some(
      (one) =>
        one.uri === uri &&
        one.range.start.line <= (range?.start.line ?? 0) &&
        (range?.start.line ?? 0) < one.range.end.line,
    );
  return [...own, ...others.filter((one) => !isKnown(one))].slice(0, MOST);
}

async function inTime<Row>(wanted: Promise<readonly Row[]>): Promise<readonly Row[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Row[]>((resolve) => {
    timer = setTimeout(() => resolve([]), PATIENCE);
  });
  try {
    return await Promise.race([wanted, late]);
  } finally {
    clearTimeout(timer);
  }
}

type Placed = Candidate & { readonly range: Range };

async function ownSymbols(query: string, server: Server): Promise<readonly Placed[]> {
  if (server.state.kind !== 'running') return [];
  try {
    const found = await requests.symbols.send(server.client, { query });
    return found.map(({ name, uri, range }) => candidate(name, vscode.Uri.parse(uri), range));
  } catch {
    // It stopped meanwhile; the other servers may know.
    return [];
  }
}

async function othersSymbols(query: string): Promise<readonly Placed[]> {
  const found = await vscode.commands.executeCommand<vscode.SymbolInformation[] | undefined>(
    'vscode.executeWorkspaceSymbolProvider',
    query,
  );
  return (found ?? []).map(({ name, location }) =>
    candidate(name, location.uri, plain(location.range)),
  );
}

function candidate(name: string, uri: vscode.Uri, range: Range): Placed {
  const label = `@${name.replace(/\(.*$/, '').replace(/\s+/g, '')}`;
  return { label, detail: vscode.workspace.asRelativePath(uri), uri: uri.toString(), range };
}

/** The symbol of the workspace with a name; null where there is none, or the server is not there to ask. */
export async function symbolNamed(name: string, server: Server): Promise<Candidate | null> {
  const found = await inTime(ownSymbols(name, server));
  return found.find(({ label }) => label === `@${name}`) ?? null;
}

/** The selection of the editor that was used last; null when nothing is selected. */
export function selection(): Candidate | null {
  const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
  if (editor === undefined || editor.selection.isEmpty) return null;
  const { start, end } = editor.selection;
  const name = vscode.workspace.asRelativePath(editor.document.uri);
  return {
    label: SELECTION,
    detail: `${name}:${linesText(start.line + 1, end.line + (end.character > 0 ? 1 : 0))}`,
    uri: editor.document.uri.toString(),
    range: plain(editor.selection),
  };
}

/** Lines from 1; a selection that ends at the start of a line does not hold that line. */
export function linesText(first: number, last: number): string {
  return last > first ? `${first}-${last}` : String(first);
}

function plain(range: vscode.Range): Range {
  const { start, end } = range;
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}
