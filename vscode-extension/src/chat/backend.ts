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
    list: async (query) => server.client.sendRequest(requests.conversations.list, { query }),
    get: async (conversationId) =>
      server.client.sendRequest(requests.conversations.get, { conversationId }),
    rename: async (conversationId, title) => {
      await server.client.sendRequest(requests.conversations.rename, { conversationId, title });
    },
    delete: async (conversationId) => {
      await server.client.sendRequest(requests.conversations.delete, { conversationId });
    },
  };
}

async function turn(
  client: LanguageClient,
  params: ChatParams,
  progress: (value: ChatProgress) => void,
  stop: AbortSignal,
): Promise<ChatResult> {
  const partialResultToken = randomUUID();
  const listener = client.onProgress(requests.chatProgress, partialResultToken, progress);
  const source = new CancellationTokenSource();
  const cancel = (): void => source.cancel();
  if (stop.aborted) cancel();
  stop.addEventListener('abort', cancel, { once: true });
  try {
    return await client.sendRequest(requests.chat, { ...params, partialResultToken }, source.token);
  } finally {
    stop.removeEventListener('abort', cancel);
    listener.dispose();
    source.dispose();
  }
}
