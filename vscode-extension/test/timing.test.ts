import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Backoff } from '../src/backoff';
import { Latest } from '../src/latest';
import { Snooze } from '../src/snooze';

test('crashes are answered more and more slowly, then no more', () => {
  const backoff = new Backoff();
  const delays = [0, 1, 2, 3, 4, 5].map((second) => backoff.next(second * 1000));
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, null]);
});

test('crashes of long ago and before a restart by hand do not count', () => {
  const backoff = new Backoff();
  for (let count = 0; count < 4; count++) backoff.next(0);
  assert.equal(backoff.next(4 * 60_000), 500);
  backoff.forget();
  assert.equal(backoff.next(4 * 60_000), 500);
});

test('of many runs asked for during one, one more is made', async () => {
  let runs = 0;
  const gates: (() => void)[] = [];
  const latest = new Latest(() => {
    runs++;
    return new Promise((resolve) => gates.push(resolve));
  });
  const first = latest.run();
  const later = [latest.run(), latest.run(), latest.run()];
  gates[0]?.();
  await first;
  await new Promise(setImmediate);
  gates[1]?.();
  await Promise.all(later);
  assert.equal(runs, 2);
});

test('a run that fails does not keep the next from starting', async () => {
  let runs = 0;
  const latest = new Latest(async () => {
    runs++;
    if (runs === 1) throw new Error('no');
  });
  const first = latest.run();
  const second = latest.run();
  await assert.rejects(first);
  await second;
  assert.equal(runs, 2);
});

test('a snooze ends by itself or by hand', () => {
  let now = 1_000_000;
  const snooze = new Snooze(() => now);
  snooze.set(5);
  assert.equal(snooze.active, true);
  now += 4.5 * 60_000;
  assert.equal(snooze.minutesLeft, 1);
  now += 60_000;
  assert.equal(snooze.active, false);
  snooze.set(5);
  snooze.set(0);
  assert.equal(snooze.active, false);
});
