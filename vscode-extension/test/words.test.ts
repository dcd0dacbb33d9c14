import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { test } from 'node:test';

import { english, filled, usageText } from '../src/chat/strings';

const json = async (file: string): Promise<Record<string, string>> =>
  JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;

/** Every text that goes through `l10n.t` as a literal. */
async function literals(): Promise<readonly string[]> {
  const files = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.ts'));
  const texts = await Promise.all(files.map((name) => readFile(path.join('src', name), 'utf8')));
  return texts.flatMap((text) =>
    [...text.matchAll(/l10n\.t\(\s*'((?:[^'\\]|\\.)*)'/g)].map((match) => match[1] ?? ''),
  );
}

test('every word of the extension and of the chat page is translated, and no other', async () => {
  const bundle = await json('l10n/bundle.l10n.zh-cn.json');
  const used = new Set([...(await literals()), ...Object.values(english)]);
  assert.deepEqual(new Set(Object.keys(bundle)), used);
});

test('translations have the same places to fill', async () => {
  const places = (text: string): readonly string[] =>
    (text.match(/\{\d\}|\$\([\w-]+\)/g) ?? []).sort();
  for (const [text, translation] of Object.entries(await json('l10n/bundle.l10n.zh-cn.json'))) {
    assert.deepEqual(places(translation), places(text), text);
  }
});

test('package.json speaks both languages', async () => {
  const [words, chinese] = [await json('package.nls.json'), await json('package.nls.zh-cn.json')];
  assert.deepEqual(Object.keys(chinese).sort(), Object.keys(words).sort());
  const manifest = await readFile('package.json', 'utf8');
  const used = new Set([...manifest.matchAll(/"%([\w.]+)%"/g)].map((match) => match[1] ?? ''));
  assert.deepEqual(used, new Set(Object.keys(words)));
});

test('values are filled in by their place', () => {
  assert.equal(filled('{1} of {0}, {2}', 'ten', 3), '3 of ten, {2}');
});

test('what an answer took is told, and its speed where it is known', () => {
  const usage = { promptTokens: 90, cachedTokens: 40, completionTokens: 3, tokensPerSecond: 2.5 };
  assert.equal(usageText(usage, english), '90 tokens read (40 cached), 3 written, 2.5 tokens/s');
  assert.equal(
    usageText({ ...usage, tokensPerSecond: 0 }, english),
    '90 tokens read (40 cached), 3 written',
  );
});

test('every page of the walkthrough is there in both languages', async () => {
  const pages = (await readdir('media')).filter((name) => name.endsWith('.md'));
  const english = pages.filter((name) => !name.includes('.nls.'));
  const manifest = await readFile('package.json', 'utf8');
  const shown = [...manifest.matchAll(/"media\/([\w-]+\.md)"/g)].map((match) => match[1] ?? '');
  assert.deepEqual(new Set(english), new Set(shown));
  const chinese = english.map((name) => name.replace(/md$/, 'nls.zh-cn.md'));
  assert.deepEqual(pages.sort(), [...english, ...chinese].sort());
});
