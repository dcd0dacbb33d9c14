import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

interface Keybinding {
  readonly command: string;
  readonly key: string;
  readonly mac?: string;
  readonly when?: string;
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
  for (const { command, key, mac = key } of await keybindings()) {
    for (const one of [key, mac]) {
      const shown = one.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
      assert.ok(text.includes(`**${shown}**`), `${command}: ${shown}`);
    }
  }
});

test('no chord takes its first key away from a terminal', async () => {
  const chords = (await keybindings()).filter(({ key }) => key.includes(' '));
  assert.notEqual(chords.length, 0);
  for (const { command, when = '' } of chords)
    assert.match(when, /!terminalFocus|editorTextFocus/, command);
});

test('side by side, where the cursor is in one of two texts, nothing is decided', async () => {
  const text = await readFile('package.json', 'utf8');
  const { contributes } = JSON.parse(text) as {
    readonly contributes: {
      readonly menus: Readonly<Record<string, readonly Omit<Keybinding, 'key'>[]>>;
    };
  };
  const all = [...(await keybindings()), ...Object.values(contributes.menus).flat()];
  const reviews = all.filter(({ command }) => command.startsWith('quillon.review.'));
  assert.notEqual(reviews.length, 0);
  for (const { command, when = '' } of reviews) assert.match(when, /!isInDiffEditor/, command);
});
