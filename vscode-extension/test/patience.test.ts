import assert from 'node:assert/strict';
import { test } from 'node:test';

import { orNull } from '../src/patience';

test('what is given in time is had', async () => {
  assert.equal(await orNull(() => Promise.resolve('python'), 60_000), 'python');
});

test('what fails, at once or later, is nothing', async () => {
  const later = (): Promise<string> => Promise.reject(new Error('no environment'));
  const atOnce = (): Promise<string> => {
    throw new Error('no such function');
  };
  assert.equal(await orNull(later, 60_000), null);
  assert.equal(await orNull(atOnce, 60_000), null);
});

test('what never comes is nothing', async () => {
  const never = new Promise<string>(() => {});
  assert.equal(await orNull(() => never, 1), null);
});
