/** The language client as the server of a chat. */

import { randomUUID } from 'node:crypto';
import { CancellationTokenSource } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

import type { ChatParams, ChatProgress, ChatResult } from '../protocol';
import * as requests from '../requests';
import type { Server } from '../server';
import type { ChatServer } from './conversation';

/** What is asked of a server that starts waits until it runs. */
export function chatServer(server: Server): ChatServer {
  const { list, get, rename, delete: remove } = requests.conversations;
  return {
    chat: async (params, progress, stop) => turn(await server.ready(stop), params, progress, stop),
    list: async (query) => list.send(await server.ready(), { query }),
    get: async (conversationId) => get.send(await server.ready(), { conversationId }),
    rename: async (conversationId, title) => {
      await rename.send(await server.ready(), { conversationId, title });
    },
    delete: async (conversationId) => {
      await remove.send(await server.ready(), { conversationId });
    },
  };
}

async function turn(
  client: LanguageClient,
  params: ChatParams,
  progress: (value: ChatProgress) => void,
  stop: AbortSignal,
): Promise<ChatResult> {
  // Loaded with the client; see `requests.ts`.
  const { ProgressType } = await import('vscode-languageclient/node');
  const partialResultToken = randomUUID();
  const listener = client.onProgress(
    new ProgressType<ChatProgress>(),
    partialResultToken,
    progress,
  );
  const source = new CancellationTokenSource();
  const cancel = (): void => source.cancel();
  if (stop.aborted) cancel();
  stop.addEventListener('abort', cancel, { once: true });
  try {
    return await requests.chat.send(client, { ...params, partialResultToken }, source.token);
  } finally {
    stop.removeEventListener('abort', cancel);
    listener.dispose();
    source.dispose();
  }
}
