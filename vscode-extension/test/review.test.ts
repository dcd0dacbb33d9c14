import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  accept,
  discard,
  documentLine,
  hunkAt,
  openHunks,
  rebased,
  shown,
  startReview,
} from '../src/review/model';

const BASE = 'a\nb\nc\nd\n';
const TARGET = 'a\nB\nc\nd\ne\n';

test('one hunk is accepted, the other discarded', () => {
  const started = startReview(BASE, TARGET);
  const once = accept(started, 0);
  assert.equal(once.base, 'a\nB\nc\nd\n');
  assert.equal(openHunks(once).length, 1);
  const twice = discard(once, 0);
  assert.deepEqual(twice, { base: once.base, target: once.base, accepted: 1, discarded: 1 });
  assert.deepEqual(openHunks(twice), []);
});

test('all at once is the whole edit, or nothing of it', () => {
  const started = startReview(BASE, TARGET);
  assert.equal(accept(started).base, TARGET);
  assert.equal(accept(started).accepted, 2);
  assert.equal(discard(started).target, BASE);
});

test('the order of the decisions does not matter', () => {
  const started = startReview(BASE, TARGET);
  assert.deepEqual(discard(accept(started, 1), 0), accept(discard(started, 0), 0));
});

test('a last line without an end stays without one', () => {
  const started = startReview('a\nb', 'A\nb');
  assert.equal(accept(started).base, 'A\nb');
  assert.equal(accept(startReview('a', 'a\nb')).base, 'a\nb');
});

test('line ends stay as they are', () => {
  const started = startReview('a\r\nb\r\n', 'a\r\nB\r\n');
  assert.equal(accept(started).base, 'a\r\nB\r\n');
  assert.equal(shown(started).text, 'a\nb\nB');
});

test('a change elsewhere moves the proposal along', () => {
  const moved = rebased(startReview(BASE, TARGET), 'above\na\nb\nc\nd\n');
  assert.equal(moved?.target, 'above\na\nB\nc\nd\ne\n');
});

test('a change of what is proposed ends the review', () => {
  assert.equal(rebased(startReview(BASE, TARGET), 'a\nbb\nc\nd\n'), null);
  assert.equal(rebased(startReview(BASE, TARGET), ''), null);
});

test('both versions are shown, and lines are found again', () => {
  const both = shown(startReview(BASE, TARGET));
  assert.equal(both.text, 'a\nb\nB\nc\nd\ne');
  assert.deepEqual(both.kinds, ['same', 'old', 'new', 'same', 'same', 'new']);
  assert.deepEqual(both.hunks, [
    { index: 0, first: 1, last: 3, removed: 1, added: 1 },
    { index: 1, first: 5, last: 6, removed: 0, added: 1 },
  ]);
  assert.deepEqual(
    [0, 1, 2, 3, 5].map((line) => documentLine(both, line)),
    [0, 1, 2, 2, 4],
  );
});

test('a decision at the cursor is about the change there, else the next one below, and no other', () => {
  const both = shown(startReview(BASE, TARGET));
  const at = (line: number): number | undefined => hunkAt(both, line)?.index;
  // a, -b, +B, c, d, +e
  assert.deepEqual([0, 1, 2, 3, 5].map(at), [0, 0, 0, 1, 1]);
  assert.equal(at(6), undefined);
  assert.equal(hunkAt(shown(accept(startReview(BASE, TARGET), 1)), 4), undefined);
});
