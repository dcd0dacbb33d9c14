import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reduce } from '../src/chat/reducer';
import type { Answer, Block, ChatEvent, ChatState } from '../src/chat/state';
import { emptyChat } from '../src/chat/state';

const usage = { promptTokens: 9, cachedTokens: 4, completionTokens: 3, tokensPerSecond: 2.5 };
const attached = { label: '@a.py', detail: '', uri: 'file:///a.py' };
const question = (value: string, keep?: number): ChatEvent => ({
  type: 'asked',
  text: value,
  references: [attached],
  ...(keep === undefined ? {} : { keep }),
});
const asked = question('What is it?');
const text = (value: string): ChatEvent => ({
  type: 'progress',
  value: { kind: 'text', text: value },
});
const call = (
  id: string,
  state: 'proposed' | 'running' | 'done' | 'failed' | 'denied',
): ChatEvent => ({
  type: 'progress',
  value: { kind: 'toolCall', id, name: 'read_file', arguments: { path: 'a.py' }, state },
});
const result = (id: string, ok: boolean): ChatEvent => ({
  type: 'progress',
  value: { kind: 'toolResult', id, ok, preview: 'x = 1' },
});
const ask = (id: string): ChatEvent => ({
  type: 'approvalAsked',
  id,
  name: 'run_tests',
  arguments: { path: 'tests' },
  approval: { reason: 'It runs code.', preview: 'pytest tests' },
});
const finished = (value = ''): ChatEvent => ({
  type: 'finished',
  conversation: 'c1',
  text: value,
  outcome: { reason: 'stop', usage, problem: '' },
});

const after = (...events: readonly ChatEvent[]): ChatState => events.reduce(reduce, emptyChat);
const blocks = (state: ChatState): readonly Block[] => answer(state).blocks;

function answer(state: ChatState): Answer {
  const last = state.items.at(-1);
  assert.equal(last?.kind, 'answer');
  return last;
}

test('a turn streams its text and ends with its usage', () => {
  const state = after(asked, text('It is '), text('one.'), finished('It is one.'));
  assert.deepEqual(state.items, [
    { kind: 'question', text: 'What is it?', references: [attached] },
    {
      kind: 'answer',
      blocks: [{ kind: 'text', text: 'It is one.' }],
      outcome: { reason: 'stop', usage, problem: '' },
    },
  ]);
  assert.equal(state.conversation, 'c1');
  assert.equal(state.phase, 'idle');
});

test('the first question is the title', () => {
  assert.equal(after(asked, finished(), question('And then?')).title, 'What is it?');
});

test('a server that streamed nothing still gives its answer', () => {
  assert.deepEqual(blocks(after(asked, finished('All at once.'))), [
    { kind: 'text', text: 'All at once.' },
  ]);
});

test('a tool call is one card through all its states', () => {
  const state = after(
    asked,
    text('Let me look.'),
    call('t', 'proposed'),
    call('t', 'running'),
    result('t', true),
    call('t', 'done'),
    text('Done.'),
  );
  assert.deepEqual(blocks(state), [
    { kind: 'text', text: 'Let me look.' },
    {
      kind: 'tool',
      id: 't',
      name: 'read_file',
      arguments: { path: 'a.py' },
      state: 'done',
      result: { ok: true, preview: 'x = 1' },
      approval: null,
    },
    { kind: 'text', text: 'Done.' },
  ]);
});

test('an approval is shown on its call and goes when it is decided', () => {
  const waiting = after(asked, call('t', 'proposed'), ask('t'));
  const [tool] = blocks(waiting);
  assert.deepEqual(tool?.kind === 'tool' ? tool.approval : null, {
    reason: 'It runs code.',
    preview: 'pytest tests',
  });
  const denied = reduce(waiting, { type: 'approvalSettled', id: 't', decision: 'deny' });
  const [settled] = blocks(denied);
  assert.equal(settled?.kind === 'tool' ? settled.state : '', 'denied');
  assert.equal(settled?.kind === 'tool' ? settled.approval : undefined, null);
});

test('an approval may come before its call is announced', () => {
  const [tool] = blocks(after(asked, ask('t')));
  assert.equal(tool?.kind === 'tool' ? tool.name : '', 'run_tests');
});

test('calls that were open when the turn ended are closed with it', () => {
  const state = after(asked, call('a', 'proposed'), ask('a'), call('b', 'running'), {
    type: 'broken',
    problem: 'The server stopped.',
  });
  const states = blocks(state).map((block) =>
    block.kind === 'tool' ? [block.state, block.approval] : [],
  );
  assert.deepEqual(states, [
    ['denied', null],
    ['failed', null],
  ]);
  assert.equal(answer(state).outcome?.problem, 'The server stopped.');
});

test('progress after the end of a turn changes nothing', () => {
  const state = after(asked, finished('Yes.'));
  assert.deepEqual(reduce(state, text('more')), state);
  assert.deepEqual(reduce(state, call('t', 'running')), state);
});

test('progress without a turn changes nothing', () => {
  assert.deepEqual(after(text('hello')), emptyChat);
});

test('stopping waits for the end, and only a running turn stops', () => {
  assert.equal(after(asked, { type: 'stopping' }).phase, 'stopping');
  assert.equal(after({ type: 'stopping' }).phase, 'idle');
});

test('an edit is proposed, then applied or not', () => {
  const proposed = after(asked, {
    type: 'editProposed',
    id: 'e',
    label: 'Rename',
    files: ['a.py'],
  });
  const failed = reduce(proposed, {
    type: 'editChanged',
    id: 'e',
    state: 'failed',
    problem: 'Changed.',
  });
  assert.deepEqual(blocks(failed), [
    {
      kind: 'edit',
      id: 'e',
      label: 'Rename',
      files: ['a.py'],
      state: 'failed',
      problem: 'Changed.',
    },
  ]);
});

test('what did not change keeps its identity, so that the page draws only what did', () => {
  const before = after(asked, text('a'), finished(), asked);
  const later = reduce(before, text('b'));
  assert.equal(later.items[0], before.items[0]);
  assert.equal(later.items[1], before.items[1]);
  assert.notEqual(later.items[3], before.items[3]);
});

test('a stored conversation opens with its calls and their results', () => {
  const state = after({
    type: 'opened',
    conversation: {
      conversationId: 'c7',
      title: 'Old',
      updated: '2026-01-01T00:00:00Z',
      messages: [
        { role: 'user', text: 'Hi' },
        {
          role: 'assistant',
          text: 'Looking.',
          toolCalls: [{ id: 't', name: 'read_file', arguments: {}, state: 'done' }],
        },
        { role: 'tool', toolCallId: 't', ok: false, text: 'no such file' },
        { role: 'assistant', text: 'It is gone.' },
      ],
    },
  });
  assert.equal(state.items.length, 2);
  assert.deepEqual(
    blocks(state).map((block) =>
      block.kind === 'tool' ? [block.state, block.result?.preview] : block.kind,
    ),
    ['text', ['failed', 'no such file'], 'text'],
  );
});

test('a new conversation keeps what is known of the server', () => {
  const state = after({ type: 'connection', connection: { kind: 'running' } }, asked, finished(), {
    type: 'started',
  });
  assert.deepEqual(state, { ...emptyChat, connection: { kind: 'running' } });
});

test('the list opens over the chat and closes when something is asked', () => {
  const rows = [{ conversationId: 'c', title: 'One', updated: '', turns: 1 }];
  const open = after({ type: 'listed', query: 'o', rows });
  assert.deepEqual(open.list, { open: true, query: 'o', rows });
  assert.equal(reduce(open, asked).list.open, false);
});

test('a question asked anew replaces the old one and what followed it', () => {
  const state = after(
    ...[asked, text('One.'), finished()],
    ...[question('Two?'), text('Two.'), finished()],
    ...[question('Three?'), text('Three.'), finished()],
    question('Two, really?', 1),
  );
  const questions = state.items.flatMap((item) => (item.kind === 'question' ? [item.text] : []));
  assert.deepEqual(questions, ['What is it?', 'Two, really?']);
  assert.equal(state.conversation, 'c1');
  assert.equal(answer(state).outcome, null);
});

test('a conversation is known as soon as its turn begins', () => {
  assert.equal(after(asked, { type: 'begun', conversation: 'c7' }).conversation, 'c7');
});

test('a renamed conversation has its name everywhere', () => {
  const row = { conversationId: 'c1', title: 'What is it?', updated: '', turns: 1 };
  const state = after(
    ...[asked, finished()],
    { type: 'listed', query: '', rows: [row, { ...row, conversationId: 'c2' }] },
    { type: 'recent', rows: [row] },
    { type: 'renamed', conversation: 'c1', title: 'The constant' },
  );
  assert.equal(state.title, 'The constant');
  assert.deepEqual(
    state.list.rows.map(({ title }) => title),
    ['The constant', 'What is it?'],
  );
  assert.equal(state.recent[0]?.title, 'The constant');
  const kept = after({ type: 'recent', rows: [row] }, asked, { type: 'started' });
  assert.deepEqual(kept.recent, [row], 'an empty page still offers them');
});

test('an edit may be applied in part', () => {
  const state = after(
    asked,
    { type: 'editProposed', id: 'e', label: 'Rename', files: ['a.py'] },
    { type: 'editChanged', id: 'e', state: 'partly', problem: '' },
  );
  assert.deepEqual(
    blocks(state).map((block) => block.kind === 'edit' && block.state),
    ['partly'],
  );
});

test('a problem stays until something else succeeds, or it was read', () => {
  const problem: ChatEvent = { type: 'problem', text: 'No such file.' };
  const over = (event: ChatEvent): string => after(problem, event).problem;
  assert.equal(over({ type: 'listed', query: '', rows: [] }), '');
  assert.equal(over({ type: 'listClosed' }), '');
  assert.equal(over({ type: 'connection', connection: { kind: 'running' } }), '');
  assert.equal(over({ type: 'problem', text: '' }), '');
  assert.equal(over({ type: 'connection', connection: { kind: 'starting' } }), 'No such file.');
  assert.equal(over({ type: 'recent', rows: [] }), 'No such file.');
});
