import assert from 'node:assert/strict';
import { test } from 'node:test';

import { scopeOf } from '../src/scope';

test('a setting is changed where it has the value that counts', () => {
  assert.equal(scopeOf(undefined), 'user');
  assert.equal(scopeOf({}), 'user');
  assert.equal(scopeOf({ workspaceValue: false }), 'workspace');
  assert.equal(scopeOf({ workspaceValue: null, workspaceFolderValue: '' }), 'folder');
});
