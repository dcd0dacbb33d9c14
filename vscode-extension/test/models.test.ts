import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bytes, errorIn, jsonLines, Lines, Share } from '../src/models/catalogue';
import { listed, NoAnswer, pulled, quillonCommand } from '../src/models/program';

const program = (code: string) => ({
  command: process.execPath,
  args: ['-e', code, '--'],
  language: 'zh-cn',
});

test('the command line is the server’s, without what made it one', () => {
  const found = { command: 'python', args: ['-I', '-m', 'quillon', 'lsp'], python: 'python' };
  assert.deepEqual(quillonCommand({ ...found, origin: 'setting' }, 'en'), {
    command: 'python',
    args: ['-I', '-m', 'quillon'],
    language: 'en',
  });
});

test('lines come in pieces, and words between them are no events', () => {
  const lines = new Lines();
  assert.deepEqual(lines.take('{"event": "fou'), []);
  assert.deepEqual(lines.take('nd"}\nwarning\n{"a": 1'), [{ event: 'found' }]);
  assert.deepEqual(lines.take('}\n'), [{ a: 1 }]);
  assert.deepEqual(jsonLines('\n{"a": 1}\nno\n'), [{ a: 1 }]);
});

test('the last error is the one that counts', () => {
  assert.equal(errorIn([{ event: 'found' }, { error: 'Offline.' }]), 'Offline.');
  assert.equal(errorIn([null, 'error', { event: 'found' }]), null);
});

test('sizes are short', () => {
  assert.deepEqual([999, 1_000, 12_479_264, 2_500_000_000].map(bytes), [
    '999 bytes',
    '1.0 kB',
    '12.5 MB',
    '2.5 GB',
  ]);
});

test('the shares of a download add up to the whole, whatever comes twice', () => {
  const share = new Share();
  const steps = [
    share.step(25, 100),
    share.step(20, 100),
    share.step(50, 100),
    share.step(100, 100),
  ];
  assert.deepEqual(steps, [25, 0, 25, 50]);
  assert.equal(new Share().step(5, null), 0);
});

test('a list is read from a program, and its problem is the program’s own', async () => {
  assert.deepEqual(await listed(program('console.log(JSON.stringify({ a: 1 }))'), ['list']), [
    { a: 1 },
  ]);
  const failing = program('console.log(JSON.stringify({ error: "No folder." })); process.exit(1)');
  await assert.rejects(listed(failing, []), /No folder\./);
  const silent = program('console.error("No module named quillon"); process.exit(3)');
  await assert.rejects(listed(silent, []), new NoAnswer('3', 'No module named quillon\n'));
  const gone = { command: '/nowhere/python', args: [], language: 'en' };
  await assert.rejects(listed(gone, []), new NoAnswer('ENOENT', ''));
});

test('a download ends with its setting, with a sentence, or where it was stopped', async () => {
  const events: string[] = [];
  const tell = ({ event }: { readonly event: string }): void => void events.push(event);
  const { signal } = new AbortController();
  const say = (...lines: readonly object[]): string =>
    lines.map((line) => `console.log(${JSON.stringify(JSON.stringify(line))});`).join('');
  const whole = say({ event: 'found', size: 2, have: 0 }, { event: 'pulled', setting: 'qwen3-4b' });
  assert.equal(await pulled(program(whole), 'qwen3-4b', tell, signal), 'qwen3-4b');
  assert.deepEqual(events, ['found', 'pulled']);
  const broken = `${say({ error: 'The disk is full.' })} process.exit(1)`;
  await assert.rejects(pulled(program(broken), 'qwen3-4b', tell, signal), /The disk is full\./);
  const silent = program('console.error("Out of memory"); process.kill(process.pid, "SIGKILL")');
  await assert.rejects(
    pulled(silent, 'qwen3-4b', tell, signal),
    new NoAnswer('SIGKILL', 'Out of memory\n'),
  );
  const stop = new AbortController();
  const endless = `${say({ event: 'found', size: 2, have: 0 })} setInterval(() => {}, 1000)`;
  const stopped = pulled(program(endless), 'qwen3-4b', () => stop.abort(), stop.signal);
  assert.equal(await stopped, null);
});

test('the program is told the language that its sentences are shown in', async () => {
  const { signal } = new AbortController();
  const told = 'JSON.stringify({ error: process.env.QUILLON_LANGUAGE })';
  const says = program(`console.log(${told}); process.exit(1)`);
  await assert.rejects(listed(says, []), /zh-cn/);
  await assert.rejects(
    pulled(says, 'qwen3-4b', () => {}, signal),
    /zh-cn/,
  );
});
