import assert from 'node:assert/strict';
import { test } from 'node:test';

import { markdownToHtml } from '../src/chat/view/markdown';

test('HTML of the model is text', () => {
  const html = markdownToHtml('Hi <script>alert(1)</script> <img src=x onerror=alert(1)>');
  assert.doesNotMatch(html, /<(script|img)/);
  assert.match(html, /&lt;script&gt;/);
});

test('pictures are never loaded', () => {
  assert.doesNotMatch(markdownToHtml('![x](https://example.com/x.png)'), /<img/);
});

test('only web addresses are links', () => {
  assert.doesNotMatch(markdownToHtml('[x](javascript:alert(1))'), /href/);
  assert.doesNotMatch(markdownToHtml('[x](command:evil)'), /href/);
  assert.match(markdownToHtml('[x](https://example.com)'), /href="https:\/\/example.com"/);
});

test('code is coloured and stays code', () => {
  const html = markdownToHtml('```python\ndef f(): return "</code><script>"\n```');
  assert.match(html, /hljs-keyword/);
  assert.doesNotMatch(html, /<script>/);
});

test('code of an unknown language is plain', () => {
  assert.match(markdownToHtml('```brain\n<b>\n```'), /&lt;b&gt;/);
});

test('a block that is still streaming is rendered', () => {
  assert.match(markdownToHtml('```python\nx = 1'), /<pre>/);
});
