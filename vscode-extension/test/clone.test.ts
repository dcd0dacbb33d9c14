import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';

import { isClone } from '../src/clone';

test('a clone is told by what it builds', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'quillon-clone-'));
  try {
    const project = path.join(folder, 'pyproject.toml');
    assert.equal(await isClone(folder), false);
    await writeFile(project, '[project]\nname = "other"\n');
    assert.equal(await isClone(folder), false);
    await writeFile(project, '[build-system]\n\n[project]\nname = "quillon"\n');
    assert.equal(await isClone(folder), true);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('nothing is installed by a name, which on an index may be anyone’s', async () => {
  const { contributes } = JSON.parse(await readFile('package.json', 'utf8')) as {
    readonly contributes: {
      readonly configuration: readonly {
        readonly properties: Readonly<Record<string, { readonly default?: unknown }>>;
      }[];
    };
  };
  const own = contributes.configuration[0]?.properties['quillon.installPackage'];
  assert.equal(own?.default, '');
});
