/** Tells the server what other tools reported: it sees only its own diagnostics. */

import * as vscode from 'vscode';

import { diagnostics as notification } from './requests';
import type { Server } from './server';

const QUIET_MILLISECONDS = 300;

export class Diagnostics implements vscode.Disposable {
  readonly #changed = new Set<string>();
  readonly #listeners: vscode.Disposable[];
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly server: Server) {
    this.#listeners = [
      vscode.languages.onDidChangeDiagnostics((event) => this.#note(event.uris)),
      // What was reported of a file while it was not open has not been told.
      vscode.workspace.onDidOpenTextDocument(({ uri }) => this.#note([uri])),
      server.onDidChange((state) => {
        if (state.kind === 'running')
          this.#note(vscode.languages.getDiagnostics().map(([uri]) => uri));
      }),
    ];
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#listeners.forEach((listener) => void listener.dispose());
  }

  #note(uris: readonly vscode.Uri[]): void {
    uris.forEach((uri) => this.#changed.add(uri.toString()));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), QUIET_MILLISECONDS);
  }

  #send(): void {
    const state = this.server.state;
    if (state.kind !== 'running') return;
    const { client } = state.connection;
    const open = new Set(vscode.workspace.textDocuments.map((document) => document.uri.toString()));
    for (const uri of this.#changed) {
      if (!open.has(uri)) continue;
      const found = vscode.languages.getDiagnostics(vscode.Uri.parse(uri));
      const rows = found.map((diagnostic) => ({
        range: client.code2ProtocolConverter.asRange(diagnostic.range),
        message: diagnostic.message,
        severity: diagnostic.severity + 1,
        ...(diagnostic.source === undefined ? {} : { source: diagnostic.source }),
        ...codeOf(diagnostic),
      }));
      // A server that has just died is followed by one that is told all.
      notification.send(client, { uri, diagnostics: rows }).catch(() => {});
    }
    this.#changed.clear();
  }
}

function codeOf(diagnostic: vscode.Diagnostic): { readonly code?: string | number } {
  const { code } = diagnostic;
  if (code === undefined) return {};
  return { code: typeof code === 'object' ? code.value : code };
}
