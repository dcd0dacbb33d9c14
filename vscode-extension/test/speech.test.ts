import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ChatEvent, Outcome } from '../src/chat/state';
import { english } from '../src/chat/strings';
import { spokenText } from '../src/chat/view/speech';

const said = (event: ChatEvent): string | null => spokenText(event, english);
const ended = (reason: Outcome['reason'], problem = ''): ChatEvent => ({
  type: 'finished',
  conversation: 'c1',
  text: '',
  outcome: { reason, usage: null, problem },
});

test('a turn is heard as it goes and as it ends', () => {
  assert.equal(said({ type: 'asked', text: 'What?', references: [] }), 'Working…');
  assert.equal(said({ type: 'progress', value: { kind: 'text', text: 'It' } }), null);
  assert.equal(said(ended('stop')), 'The answer is complete.');
  assert.equal(said(ended('cancelled')), 'Stopped.');
  assert.equal(said(ended('error', 'The model is gone.')), 'The model is gone.');
});

test('a turn that breaks is not working for ever', () => {
  assert.equal(said({ type: 'broken', problem: 'The server stopped.' }), 'The server stopped.');
});

test('an approval names what asks for it', () => {
  const approval = { reason: '', preview: '' };
  const asks: ChatEvent = {
    type: 'approvalAsked',
    id: 't',
    name: 'run_tests',
    arguments: {},
    approval,
  };
  assert.equal(said(asks), 'Quillon asks for your approval. run_tests');
});
