import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hunksBetween } from '../src/hunks';

function applied(before: string, after: string): string {
  const lines = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const hunks = hunksBetween(before, after);
  return [...hunks]
    .reverse()
    .reduce(
      (all, { start, end, text }) => [...all.slice(0, start), text, ...all.slice(end)],
      [...lines],
    )
    .join('');
}

test('each changed place is a hunk of its own', () => {
  assert.deepEqual(hunksBetween('a\nb\nc\nd\n', 'a\nB\nc\nd\ne\n'), [
    { start: 1, end: 2, text: 'B\n' },
    { start: 4, end: 4, text: 'e\n' },
  ]);
});

test('equal texts have none', () => {
  assert.deepEqual(hunksBetween('a\nb', 'a\nb'), []);
  assert.deepEqual(hunksBetween('', ''), []);
});

test('applying all hunks gives the new text, to the last byte', () => {
  const pieces = ['a\n', 'b\n', 'c\r\n', '\n', 'd'];
  const random = generator(7);
  for (let round = 0; round < 500; round++) {
    const make = (): string =>
      Array.from({ length: random(9) }, () => pieces[random(4)] ?? '').join('') +
      (random(2) ? 'end' : '');
    const [before, after] = [make(), make()];
    assert.equal(applied(before, after), after, JSON.stringify([before, after]));
  }
});

test('texts too large to compare give one hunk', () => {
  const before = Array.from({ length: 3000 }, (_, line) => `old ${line}\n`).join('');
  const after = Array.from({ length: 3000 }, (_, line) => `new ${line}\n`).join('');
  assert.equal(hunksBetween(before, after).length, 1);
  assert.equal(applied(before, after), after);
});

/** A small generator of whole numbers, the same for every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % below;
  };
}
