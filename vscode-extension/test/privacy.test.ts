import assert from 'node:assert/strict';
import { test } from 'node:test';

import { anonymous } from '../src/privacy';

test('the home folder and the account are left out', () => {
  assert.equal(
    anonymous('/home/ada/x: ada said radar', '/home/ada', 'ada'),
    '~/x: <user> said radar',
  );
});

test('an account as short as a word stays', () => {
  assert.equal(anonymous('a b', '/', 'a'), 'a b');
});
