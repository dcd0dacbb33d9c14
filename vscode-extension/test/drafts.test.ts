import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Drafts } from '../src/chat/drafts';
import type { Draft } from '../src/chat/messages';

const attached = [{ label: '@a.py', detail: '', uri: 'file:///a.py' }];
const written: Draft = { text: 'half written @a.py', attached };
const anew: Draft = { text: 'in other words', attached: [], keep: 1, before: written };

/** What the editor stores of a workspace; a reload takes nothing else along. */
function storage(): ConstructorParameters<typeof Drafts>[0] {
  const values = new Map<string, Draft>();
  return {
    get: (key, otherwise) => values.get(key) ?? otherwise,
    update: async (key, draft) => void values.set(key, draft),
  };
}

test('a draft comes back to the next page', async () => {
  const drafts = new Drafts(storage());
  assert.deepEqual(drafts.current, { text: '', attached: [] });
  await drafts.save(written);
  await drafts.leave();
  assert.deepEqual(drafts.current, written);
});

test('a question that is written anew comes back with its place', async () => {
  const drafts = new Drafts(storage());
  await drafts.save(anew);
  assert.deepEqual(drafts.current, anew);
});

test('what was being written before it comes back when it is left', async () => {
  const drafts = new Drafts(storage());
  await drafts.save(anew);
  await drafts.leave();
  assert.deepEqual(drafts.current, written);
});

test('after a reload its text is kept, and nobody knows what it was to replace', async () => {
  const store = storage();
  await new Drafts(store).save(anew);
  assert.deepEqual(new Drafts(store).current, { text: 'in other words', attached: [] });
});
