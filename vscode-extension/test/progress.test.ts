import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Reports } from '../src/progress';

let reports = new Reports();
let shown: string[] = [];

beforeEach(() => {
  reports = new Reports();
  shown = [];
});

const expect = (title: string, name = title): (() => void) =>
  reports.expect(title, (message) => shown.push(`${name}: ${message}`));
const begin = (token: string, title: string): boolean =>
  reports.takes(token, { kind: 'begin', title });
const report = (token: string, message: string): boolean =>
  reports.takes(token, { kind: 'report', message });
const end = (token: string): boolean => reports.takes(token, { kind: 'end' });

test('two actions that run at once are each told of their own, also when one has ended', () => {
  expect('Write a test');
  const forget = expect('Write a docstring');
  assert.ok(begin('d', 'Write a docstring') && begin('t', 'Write a test'));
  assert.ok(report('t', '10') && report('d', '20'));
  assert.equal(end('d'), false, 'the client forgets the token');
  forget();
  assert.ok(report('t', '30'));
  assert.deepEqual(shown, ['Write a test: 10', 'Write a docstring: 20', 'Write a test: 30']);
});

test('of two with one title, the first that begins is the first that was asked for', () => {
  expect('Fix', 'first');
  expect('Fix', 'second');
  assert.ok(begin('a', 'Fix') && begin('b', 'Fix'));
  assert.ok(report('b', '1') && report('a', '2'));
  assert.deepEqual(shown, ['second: 1', 'first: 2']);
});

test('other progress is left to the client', () => {
  expect('Write a test');
  assert.deepEqual([begin('e', 'Explaining'), report('e', '10'), end('e')], [false, false, false]);
  assert.deepEqual(shown, []);
});

test('what has ended takes nothing any more, begun or not', () => {
  expect('Fix')();
  assert.equal(begin('a', 'Fix'), false);
  const forget = expect('Fix');
  assert.ok(begin('b', 'Fix'));
  forget();
  assert.equal(report('b', '10'), false);
  assert.deepEqual(shown, []);
});
