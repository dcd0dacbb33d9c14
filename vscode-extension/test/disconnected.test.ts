import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';

import { createMessageConnection, ResponseError } from 'vscode-jsonrpc/node';

import { isDisconnected } from '../src/disconnected';

const caught = async (deed: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await deed();
  } catch (error) {
    return error;
  }
};

test('what the library says of a server that goes is known as that', async () => {
  const connection = createMessageConnection(new PassThrough(), new PassThrough());
  connection.listen();
  const pending = caught(() => connection.sendRequest('quillon/chat'));
  connection.dispose();
  assert.ok(isDisconnected(await pending));
  assert.ok(isDisconnected(await caught(async () => connection.sendRequest('quillon/chat'))));
});

test('a client that does not run is known as that, and what a server says is not', () => {
  assert.ok(isDisconnected(new ResponseError(-32_096, 'Client is not running')));
  assert.ok(isDisconnected(new ResponseError(-32_099, 'write EPIPE')));
  assert.ok(!isDisconnected(new ResponseError(-32_800, 'Cancelled')));
  assert.ok(!isDisconnected(new ResponseError(-32_803, 'The model is gone.')));
  assert.ok(!isDisconnected('Connection is closed.'));
});
