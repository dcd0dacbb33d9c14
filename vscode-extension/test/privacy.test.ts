import assert from 'node:assert/strict';
import { test } from 'node:test';

import { anonymous, known } from '../src/privacy';

test('the home folder and the account are left out', () => {
  assert.equal(
    anonymous('/home/ada/x: ada said radar', '/home/ada', 'ada'),
    '~/x: <user> said radar',
  );
});

test('an account as short as a word stays', () => {
  assert.equal(anonymous('a b', '/', 'a'), 'a b');
});

test('a system that knows no account is no obstacle', () => {
  assert.equal(
    known(() => 'ada'),
    'ada',
  );
  const unknown = (): string => {
    throw new Error('A system error occurred: uv_os_get_passwd returned ENOENT');
  };
  assert.equal(anonymous('a text', known(unknown), known(unknown)), 'a text');
});
