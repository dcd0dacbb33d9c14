/** The language client as the server of a chat. */

import { randomUUID } from 'node:crypto';
import { CancellationTokenSource } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

import type { ChatParams, ChatProgress, ChatResult } from '../protocol';
import * as requests from '../requests';
import type { Server } from '../server';
import type { ChatServer } from './conversation';

export function chatServer(server: Server): ChatServer {
  return {
    chat: (params, progress, stop) => turn(server.client, params, progress, stop),
    list: async (query) => requests.conversations.list.send(server.client, { query }),
    get: async (conversationId) =>
      requests.conversations.get.send(server.client, { conversationId }),
    rename: async (conversationId, title) => {
      await requests.conversations.rename.send(server.client, { conversationId, title });
    },
    delete: async (conversationId) => {
      await requests.conversations.delete.send(server.client, { conversationId });
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
