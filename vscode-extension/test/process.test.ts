import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

import { CannotStart, ServerProcess } from '../src/process';

const node = (script: string): Parameters<typeof ServerProcess.start>[0] => ({
  command: process.execPath,
  args: ['-e', script],
  python: null,
  origin: 'setting',
});

test('its last words name the status and the last line', async () => {
  const lines: string[] = [];
  const server = await ServerProcess.start(
    node("console.error('first\\nNo module named quillon'); process.exitCode = 3"),
    '.',
    (line) => lines.push(line),
  );
  await server.exited(60_000);
  assert.equal(server.lastWords, 'exit status 3: No module named quillon');
  assert.deepEqual(lines, ['first', 'No module named quillon']);
});

test('of a program that does not start is told which one, and why', async () => {
  const missing = { ...node(''), command: '/nowhere/python' };
  await assert.rejects(
    ServerProcess.start(missing, '.', () => {}),
    new CannotStart('/nowhere/python', 'ENOENT'),
  );
  assert.equal(new CannotStart('python', 'ENOENT').lasts, true);
  assert.equal(new CannotStart('python', 'EAGAIN').lasts, false);
});

test('a folder that is gone keeps no server from starting', async () => {
  const server = await ServerProcess.start(
    node("console.error('here'); process.exitCode = 3"),
    '/nowhere/at/all',
    () => {},
  );
  await server.exited(60_000);
  assert.equal(server.lastWords, 'exit status 3: here');
});

test('a process that ignores its closed input is ended all the same', async () => {
  const server = await ServerProcess.start(node('setInterval(() => {}, 1000)'), '.', () => {});
  await server.end(0);
  assert.equal(server.lastWords, 'SIGKILL');
});

test('a program that speaks otherwise is told by its first line, and its output still arrives', async () => {
  const server = await ServerProcess.start(
    node("console.log('\\nHello there. \\nMore')"),
    '.',
    () => {},
  );
  const said: string[] = [];
  const arrived = await text(server.messages((line) => said.push(line)));
  assert.deepEqual(said, ['Hello there.']);
  assert.equal(arrived, '\nHello there. \nMore\n');
});

test('messages pass, whatever the case of their header', async () => {
  const message = 'content-length: 2\r\n\r\n{}';
  const server = await ServerProcess.start(
    node(`process.stdout.write(${JSON.stringify(message)})`),
    '.',
    () => {},
  );
  const said: string[] = [];
  assert.equal(await text(server.messages((line) => said.push(line))), message);
  assert.deepEqual(said, []);
});
