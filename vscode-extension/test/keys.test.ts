import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

interface Keybinding {
  readonly command: string;
  readonly key: string;
  readonly mac?: string;
}

async function keybindings(): Promise<readonly Keybinding[]> {
  const manifest = JSON.parse(await readFile('package.json', 'utf8')) as {
    readonly contributes: { readonly keybindings: readonly Keybinding[] };
  };
  return manifest.contributes.keybindings;
}

test('no key types a character of some keyboard layout', async () => {
  // On Windows Ctrl+Alt is AltGr: with Q it is @ on a German keyboard, with E the sign of the euro.
  const strokes = (await keybindings()).flatMap(({ key }) => key.split(' '));
  assert.deepEqual(
    strokes.filter((stroke) => stroke.includes('ctrl') && stroke.includes('alt')),
    [],
  );
});

test('the README names the keys as they are', async () => {
  const text = await readFile('README.md', 'utf8');
  for (const { command, key } of await keybindings()) {
    const shown = key.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
    assert.ok(text.includes(`**${shown}**`), `${command}: ${shown}`);
  }
});
