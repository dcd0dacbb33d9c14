import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import type { Places } from '../src/discovery';
import { discover, venvArguments } from '../src/discovery';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quillon-discovery-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program that answers the probe, as an interpreter of that version would. */
async function python(
  name: string,
  version: readonly number[],
  quillon: string | null,
): Promise<string> {
  return program(name, `echo '${JSON.stringify({ version, quillon })}'`);
}

async function program(name: string, script: string): Promise<string> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

function places(some: Partial<Places>): Places {
  return {
    configured: '',
    selected: null,
    searchPath: '',
    privatePython: path.join(folder, 'none'),
    ...some,
  };
}

test('the configured interpreter comes first and runs isolated', async () => {
  const mine = await python('mine', [3, 12], '0.1.0');
  const other = await python('other', [3, 12], '0.1.0');
  const { found } = await discover(places({ configured: mine, selected: other }));
  assert.deepEqual(found, {
    command: mine,
    args: ['-I', '-m', 'quillon', 'lsp'],
    python: mine,
    origin: 'setting',
  });
});

test('a configured interpreter that does not serve is complained about, not replaced', async () => {
  const old = await python('old', [3, 9], '0.1.0');
  const good = await python('good', [3, 12], '0.1.0');
  const { found, tried } = await discover(places({ configured: old, selected: good }));
  assert.equal(found, null);
  assert.deepEqual(tried, [{ python: old, reason: 'old', version: '3.9' }]);
});

test('a selected environment without quillon leaves the PATH', async () => {
  const bare = await python('bare', [3, 12], null);
  const script = await program('bin/quillon', 'exit 0');
  const { found, tried } = await discover(
    places({
      selected: bare,
      searchPath: ['relative', path.join(folder, 'bin')].join(path.delimiter),
    }),
  );
  assert.deepEqual(found, { command: script, args: ['lsp'], python: null, origin: 'path' });
  assert.deepEqual(tried, [{ python: bare, reason: 'bare', version: '3.12' }]);
});

test('the private environment comes last', async () => {
  const own = await python('private', [3, 13], '0.1.0');
  const { found } = await discover(places({ privatePython: own }));
  assert.equal(found?.origin, 'private');
});

test('nothing found says what was tried', async () => {
  const gone = path.join(folder, 'gone');
  const { found, tried } = await discover(places({ selected: gone }));
  assert.equal(found, null);
  assert.deepEqual(tried, [{ python: gone, reason: 'missing', version: '' }]);
});

test('programs that are no interpreters are refused', async () => {
  for (const script of ['exit 3', 'echo hello']) {
    const file = await program('other', script);
    const { found, tried } = await discover(places({ configured: file }));
    assert.equal(found, null);
    assert.deepEqual(tried, [{ python: file, reason: 'fails', version: '' }]);
  }
});

test('an environment whose Python went away is made anew, one that runs is kept', async () => {
  const made = await python('server/bin/python', [3, 12], '0.1.0');
  const server = path.join(folder, 'server');
  assert.deepEqual(await venvArguments(server, made), ['-I', '-m', 'venv', server]);
  const anew = ['-I', '-m', 'venv', '--clear', server];
  assert.deepEqual(await venvArguments(server, await python('old', [3, 9], null)), anew);
  await rm(made);
  await symlink(path.join(folder, 'gone'), made);
  assert.deepEqual(await venvArguments(server, made), anew);
});
