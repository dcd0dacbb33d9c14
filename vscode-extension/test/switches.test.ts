import assert from 'node:assert/strict';
import { test } from 'node:test';

import { switches } from '../src/switches';

test('where suggestions are on, the language alone is switched', () => {
  assert.deepEqual(switches(true, [], 'python'), [
    { kind: 'language', language: 'python', on: true },
  ]);
  assert.deepEqual(switches(true, ['python'], 'python'), [
    { kind: 'language', language: 'python', on: false },
  ]);
  assert.deepEqual(switches(true, ['python'], undefined), []);
});

test('where they are off altogether that is switched, and a language stays as its list has it', () => {
  assert.deepEqual(switches(false, [], 'python'), [
    { kind: 'everywhere' },
    { kind: 'language', language: 'python', on: true },
  ]);
  assert.deepEqual(switches(false, ['python'], undefined), [{ kind: 'everywhere' }]);
});
