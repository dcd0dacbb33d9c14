import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  mayMean,
  mentions,
  pathAndLines,
  placesIn,
  typedName,
  typedNames,
  withMark,
  withoutMark,
} from '../src/chat/references';

/** The name being typed at the mark ▮. */
function typedAt(marked: string): string | null {
  const caret = marked.indexOf('▮');
  return typedName(marked.replace('▮', ''), caret)?.query ?? null;
}

test('a name is being typed after an @ that starts a word', () => {
  assert.equal(typedAt('look at @src/ma▮'), 'src/ma');
  assert.equal(typedAt('@▮'), '');
  assert.equal(typedAt('mail me@home▮'), null);
  assert.equal(typedAt('look at @a.py and▮'), null);
  assert.equal(typedAt('first\n@be▮'), 'be');
});

test('# offers the selection and nothing else', () => {
  assert.equal(typedAt('explain #sel▮'), '#sel');
  assert.equal(typedAt('issue #12▮'), null);
});

test('a row found for fewer letters is ruled out by those that it lacks', () => {
  assert.ok(mayMean('@src/greet.py', 'greet'));
  assert.ok(mayMean('@read_settings', 'rSet'));
  assert.ok(mayMean('#selection', '#sel'));
  assert.ok(mayMean('@greet.py', ''));
  assert.ok(!mayMean('@greet.py', 'greetings'));
  assert.ok(!mayMean('@ab', 'ba'));
});

test('a chosen name replaces what was typed', () => {
  const text = 'look at @ma please';
  assert.deepEqual(withMark(text, 8, 11, '@src/main.py'), {
    text: 'look at @src/main.py please',
    caret: 21,
  });
});

test('a mark counts only as a word of its own', () => {
  assert.ok(mentions('see @a.py, please', '@a.py'));
  assert.ok(mentions('#selection?', '#selection'));
  assert.ok(!mentions('see @a.pyc', '@a.py'));
});

test('a mark may have spaces, and what a pattern reads in its own way', () => {
  assert.ok(mentions('see @my file (1).py:1-3.', '@my file (1).py:1-3'));
  assert.ok(!mentions('see @my file (1).py:1-30', '@my file (1).py:1-3'));
  assert.ok(!mentions('see @my other file.py', '@my file.py'));
});

test('a mark is taken out where it stands, and nowhere else', () => {
  assert.equal(withoutMark('@a.py and @a.pyc, or @a.py?', '@a.py'), 'and @a.pyc, or?');
  assert.equal(withoutMark('see @my file.py please', '@my file.py'), 'see please');
});

test('a mark that only starts a longer one is not there', () => {
  const attached = [{ label: '@my' }, { label: '@my notes.md' }];
  assert.ok(!mentions('@my notes.md', '@my', attached));
  assert.ok(mentions('@my notes.md', '@my notes.md', attached));
  assert.ok(mentions('@my notes.md', '@my', [{ label: '@my' }]));
  assert.equal(withoutMark('@my @my notes.md', '@my', attached), '@my notes.md');
  assert.equal(withoutMark('@my @my notes.md', '@my notes.md', attached), '@my');
});

test('a mark takes one space with it, and leaves the code in a question as it is', () => {
  const code = 'def f():\n    return  1';
  assert.equal(withoutMark(`@a.py why?\n${code}`, '@a.py'), `why?\n${code}`);
  assert.equal(withoutMark('see @a.py\nnow', '@a.py'), 'see\nnow');
  assert.equal(withoutMark('why?\n    @a.py x', '@a.py'), 'why?\n    x');
  assert.equal(withoutMark('see @a.py @a.py?', '@a.py'), 'see?');
});

const places = (text: string): readonly string[] =>
  placesIn(text).map(({ path, line }) => `${path}|${line}`);

test('places are found in running text', () => {
  assert.deepEqual(places('See src/app.py:12 and `lib/x-y.test.ts:3:7`.'), [
    'src/app.py|12',
    'lib/x-y.test.ts|3',
  ]);
});

test('times, addresses and absolute paths are no places', () => {
  assert.deepEqual(places('at 12:30, http://host.example:80/x, /etc/passwd:1, localhost:8080'), []);
});

test('a long text is searched in a moment', () => {
  assert.deepEqual(places('a.'.repeat(50_000)), []);
});

test('names that were typed and not chosen are found, each once', () => {
  assert.deepEqual(typedNames('see @a.py, @gone.py? and @a.py', []), ['a.py', 'gone.py']);
  assert.deepEqual(typedNames('看 @a.py。 mail me@home @', []), ['a.py']);
  const attached = [{ label: '@my file.py' }, { label: '@a.py' }];
  assert.deepEqual(typedNames('@my file.py and @a.py with @b.py', attached), ['b.py']);
});

test('a decorator in a block of code names nothing', () => {
  assert.deepEqual(typedNames('why?\n```py\n@property\n```\nsee @b.py', []), ['b.py']);
  assert.deepEqual(typedNames('why?\n```py\n@property\ndef f', []), []);
});

test('a name may have lines', () => {
  assert.deepEqual(pathAndLines('a.py:3-7'), { path: 'a.py', lines: [3, 7] });
  assert.deepEqual(pathAndLines('src/a.py:3'), { path: 'src/a.py', lines: [3, 3] });
  assert.deepEqual(pathAndLines('a.py'), { path: 'a.py', lines: null });
});
