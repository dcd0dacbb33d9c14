/** Puts the parts together. Activation starts the server and does not wait for it. */

import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

import { ChatPanel, VIEW } from './chat/panel';
import { registerCommands } from './commands';
import { needsRestart, touchesServer } from './config';
import { Diagnostics } from './diagnostics';
import { onSelectedPython } from './environment';
import { Models } from './models/picker';
import type { StatusParams } from './protocol';
import { recentLog } from './recent';
import * as requests from './requests';
import { Reviews } from './review/reviews';
import { Server } from './server';
import { Snooze } from './snooze';
import { StatusItem } from './status';
import { middleware } from './suggestions';
import { Withheld } from './withheld';
import { Writing } from './writing';

let running: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const began = performance.now();
  const log = recentLog('Quillon');
  const trace = vscode.window.createOutputChannel('Quillon Trace', { log: true });
  const snooze = new Snooze(() => Date.now());
  const writing = new Writing();
  const prepare = (client: LanguageClient): void => {
    requests.status.hear(client, (status) => tell(status));
    requests.explain.hear(client, (question) => void chat.ask(question));
    requests.approve.answer(client, (params, token) => chat.approve(params, token));
  };
  const server: Server = new Server(
    context,
    log.channel,
    trace,
    middleware(snooze, writing, () => server.settings()),
    prepare,
  );
  running = server;
  const tell = (status: StatusParams): void => {
    item.update(status);
    chat.status(status);
  };
  const withheld = new Withheld();
  const item = new StatusItem(server, snooze, withheld);
  const reviews = new Reviews();
  const models = new Models(server, log.channel);
  const chat = new ChatPanel(context, server, log.channel, reviews);
  const parts = {
    ...{ context, server, chat, reviews, writing, models, snooze },
    ...{ status: item, log: log.channel, recent: log.lines },
  };
  context.subscriptions.push(
    ...[log.channel, trace, server, withheld, item, chat, reviews, models],
    new Diagnostics(server),
    vscode.window.registerWebviewViewProvider(VIEW, chat),
    ...registerCommands(parts),
    ...watch(server),
    server.onDidChange((state) => {
      if (state.kind !== 'running') return;
      // Later the server tells by itself.
      requests.statusGet.send(state.connection.client, {}).then(tell, () => {});
    }),
  );
  void server.restart();
  void onSelectedPython(() => void server.restart()).then((listener) =>
    context.subscriptions.push(listener),
  );
  log.channel.info(`activated in ${Math.round(performance.now() - began)} ms`);
}

export async function deactivate(): Promise<void> {
  await running?.stop();
}

function watch(server: Server): vscode.Disposable[] {
  return [
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (needsRestart(change)) void server.restart();
      else if (touchesServer(change)) void server.sendSettings();
    }),
    // In a trusted folder its own settings, and the selected environment, count.
    vscode.workspace.onDidGrantWorkspaceTrust(() => void server.restart()),
  ];
}
