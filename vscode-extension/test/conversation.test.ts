import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ChatServer } from '../src/chat/conversation';
import { ChatConversation } from '../src/chat/conversation';
import type { Kept, ProposalStore } from '../src/chat/proposals';
import { Proposals } from '../src/chat/proposals';
import type { ChatParams, ChatProgress, ChatResult } from '../src/protocol';

type Turn = (
  params: ChatParams,
  progress: (value: ChatProgress) => void,
  stop: AbortSignal,
) => Promise<ChatResult>;

const usage = { promptTokens: 1, cachedTokens: 0, completionTokens: 1, tokensPerSecond: 1 };
const ended = (conversationId: string, text = ''): ChatResult => ({
  conversationId,
  turnId: 't1',
  finishReason: 'stop',
  usage,
  text,
});

/** A store that lasts as long as one of VS Code's workspaces. */
function store(): ProposalStore {
  let all: readonly Kept[] | null = null;
  return {
    get: (_key, otherwise) => all ?? otherwise,
    update: async (_key, kept) => {
      all = kept;
    },
  };
}

function chat(
  turn: Turn,
  kept: ProposalStore = store(),
): { conversation: ChatConversation; remembered: (string | null)[] } {
  const remembered: (string | null)[] = [];
  const server: ChatServer = {
    chat: turn,
    list: async () => [{ conversationId: 'stored', title: '', updated: '', turns: 1 }],
    get: async (id) => {
      if (id !== 'known') throw new Error('There is no such conversation.');
      const messages = ['one', 'three'].map((text) => ({ role: 'user' as const, text }));
      return { conversationId: id, title: 'Known', updated: '', messages };
    },
    rename: async () => {},
    delete: async () => {},
  };
  const listeners = {
    changed: () => {},
    remember: (id: string | null) => void remembered.push(id),
  };
  const proposals = new Proposals(kept);
  const conversation = new ChatConversation(server, listeners, () => ['a.py'], proposals);
  return { conversation, remembered };
}

/** A turn that goes on until it is stopped. */
const endless: Turn = (_params, progress, stop) =>
  new Promise((_resolve, reject) => {
    progress({ kind: 'text', text: 'and so on' });
    stop.addEventListener('abort', () => reject(new Error('cancelled')));
  });

const outcome = ({ state }: ChatConversation): string => {
  const last = state.items.at(-1);
  return last?.kind === 'answer' ? `${last.outcome?.reason}: ${last.outcome?.problem}` : '';
};

test('the second question goes to the conversation of the first', async () => {
  const seen: (string | undefined)[] = [];
  const { conversation, remembered } = chat(async (params) => {
    seen.push(params.conversationId);
    return ended('c1', 'yes');
  });
  await conversation.ask('one', []);
  await conversation.ask('two', []);
  assert.deepEqual(seen, [undefined, 'c1']);
  assert.deepEqual(remembered, ['c1', 'c1']);
});

test('an empty question and one while another runs are not asked', async () => {
  const { conversation } = chat(endless);
  await conversation.ask('   ', []);
  assert.equal(conversation.state.items.length, 0);
  const running = conversation.ask('first', []);
  await conversation.ask('second', []);
  assert.equal(conversation.state.items.length, 2);
  conversation.stop();
  await running;
});

test('a stopped turn keeps its text and its conversation', async () => {
  const { conversation, remembered } = chat((params, progress, stop) => {
    progress({ kind: 'conversation', conversationId: 'c7' });
    return endless(params, progress, stop);
  });
  const running = conversation.ask('tell me', []);
  conversation.stop();
  await running;
  assert.equal(outcome(conversation), 'cancelled: ');
  assert.equal(conversation.state.conversation, 'c7');
  assert.equal(remembered.at(-1), 'c7');
});

test('a turn that is stopped before it began takes no conversation of another window', async () => {
  const { conversation, remembered } = chat(endless);
  const running = conversation.ask('tell me', []);
  conversation.stop();
  await running;
  assert.equal(conversation.state.conversation, null);
  assert.deepEqual(remembered, [null]);
});

test('an error ends the turn with its sentence', async () => {
  const { conversation } = chat(() => Promise.reject(new Error('The model is gone.')));
  await conversation.ask('hello', []);
  assert.equal(outcome(conversation), 'error: The model is gone.');
  assert.equal(conversation.state.phase, 'idle');
});

test('approval waits for the user, once per call', async () => {
  let decision: unknown;
  const { conversation } = chat(async () => {
    const gone = new AbortController().signal;
    const question = { callId: 't', tool: 'run_tests', arguments: {}, reason: 'runs code' };
    decision = await conversation.approve(question, gone);
    return ended('c1');
  });
  const running = conversation.ask('test it', []);
  conversation.decide('t', 'deny', 'not now');
  conversation.decide('t', 'once', '');
  await running;
  assert.deepEqual(decision, { decision: 'deny', reason: 'not now' });
});

test('stopping denies what waits for approval', async () => {
  let decision: unknown;
  const { conversation } = chat(async (_params, _progress, stop) => {
    const question = { callId: 't', tool: 'run_tests', arguments: {}, reason: '' };
    decision = await conversation.approve(question, new AbortController().signal);
    stop.throwIfAborted();
    return ended('c1');
  });
  const running = conversation.ask('test it', []);
  conversation.stop();
  await running;
  assert.deepEqual(decision, { decision: 'deny' });
});

test('an approval outside a turn is denied', async () => {
  const { conversation } = chat(endless);
  const question = { callId: 't', tool: 'x', arguments: {}, reason: '' };
  const answer = await conversation.approve(question, new AbortController().signal);
  assert.equal(answer.decision, 'deny');
});

test('a server that goes away breaks the turn, and its late words are dropped', async () => {
  let late: (value: ChatProgress) => void = () => {};
  const { conversation } = chat((_params, progress) => {
    late = progress;
    return new Promise(() => {});
  });
  void conversation.ask('hello', []);
  conversation.lost('The server stopped.');
  late({ kind: 'text', text: 'ghost' });
  assert.equal(outcome(conversation), 'error: The server stopped.');
  assert.equal(conversation.state.phase, 'idle');
});

test('leaving a conversation stops its turn', async () => {
  const { conversation, remembered } = chat(endless);
  const running = conversation.ask('tell me', []);
  conversation.startNew();
  await running;
  assert.deepEqual(conversation.state.items, []);
  assert.deepEqual(remembered, [null]);
});

test('opening what is gone says so and is forgotten', async () => {
  const { conversation, remembered } = chat(endless);
  await conversation.open('lost');
  assert.equal(conversation.state.problem, 'There is no such conversation.');
  assert.deepEqual(remembered, [null]);
});

test('a conversation that cannot be opened leaves the one that is shown', async () => {
  const { conversation, remembered } = chat(async () => ended('c1'));
  await conversation.ask('one', []);
  await conversation.open('lost');
  assert.equal(conversation.state.conversation, 'c1');
  assert.equal(remembered.at(-1), 'c1');
});

test('a question that is asked while a conversation opens stays', async () => {
  const { conversation, remembered } = chat(async () => ended('c1', 'yes'));
  const opening = conversation.open('known');
  await Promise.all([conversation.ask('one', []), opening]);
  assert.equal(conversation.state.conversation, 'c1');
  assert.equal(outcome(conversation), 'stop: ');
  assert.deepEqual(remembered, ['c1']);
});

test('of two conversations that are opened, only the last one is', async () => {
  const { conversation } = chat(endless);
  await Promise.all([conversation.open('known'), conversation.open('lost')]);
  assert.equal(conversation.state.conversation, null);
  assert.equal(conversation.state.problem, 'There is no such conversation.');
});

test('rows that come after the list was closed do not open it again', async () => {
  const { conversation } = chat(endless);
  await conversation.list('');
  const late = conversation.search('words');
  conversation.dispatch({ type: 'listClosed' });
  await late;
  assert.equal(conversation.state.list.open, false);
  await conversation.search('more words');
  assert.equal(conversation.state.list.open, false);
  const opening = conversation.list('');
  conversation.dispatch({ type: 'recent', rows: [] });
  await opening;
  assert.equal(conversation.state.list.open, true);
});

/** A promise, and what fulfils it. */
function deferred(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** A conversation with one proposed edit. */
async function proposing(): Promise<ChatConversation> {
  const { conversation } = chat(async (_params, progress) => {
    progress({ kind: 'edit', id: 'e', label: 'Rename', edit: { changes: {} } });
    return ended('c1');
  });
  await conversation.ask('rename it', []);
  return conversation;
}

const card = ({ state }: ChatConversation): string => {
  const last = state.items.at(-1);
  const block = last?.kind === 'answer' ? last.blocks[0] : undefined;
  return block?.kind === 'edit' ? `${block.state}: ${block.problem}` : '';
};

test('what is done with an edit is given it, while its card is shown', async () => {
  const conversation = await proposing();
  const given: unknown[] = [];
  const take = async (edit: unknown): Promise<'applied'> => {
    given.push(edit);
    return 'applied';
  };
  await conversation.settle('e', take);
  conversation.startNew();
  await conversation.settle('e', take);
  assert.deepEqual(given, [{ label: 'Rename', edit: { changes: {} }, files: [] }]);
});

test('nothing else is done with an edit while it is reviewed', async () => {
  const conversation = await proposing();
  const gate = deferred();
  const review = conversation.settle('e', async () => {
    await gate.opened;
    return 'partly';
  });
  assert.equal(card(conversation), 'deciding: ');
  await conversation.settle('e', async () => assert.fail('it is being reviewed'));
  assert.equal(card(conversation), 'deciding: ');
  gate.open();
  await review;
  assert.equal(card(conversation), 'partly: ');
});

test('an edit that could not be applied may be tried again', async () => {
  const conversation = await proposing();
  await conversation.settle('e', async () => Promise.reject(new Error('a.py has changed.')));
  assert.equal(card(conversation), 'failed: a.py has changed.');
  await conversation.settle('e', async () => 'applied');
  assert.equal(card(conversation), 'applied: ');
});

test('a question asked anew keeps the turns that the server has', async () => {
  const seen: ChatParams[] = [];
  const { conversation } = chat(async (params) => {
    seen.push(params);
    if (params.text === 'two') throw new Error('No model.');
    return ended('known');
  });
  // The server never stored the second.
  for (const text of ['one', 'two', 'three']) await conversation.ask(text, []);
  await conversation.ask('three, really', [], 2);
  assert.equal(seen.at(-1)?.keepTurns, 1);
  await conversation.ask('one, really', [], 0);
  assert.equal(seen.at(-1)?.keepTurns, 0);
  assert.equal(conversation.state.items.length, 2);
});

test('a conversation is remembered while its first answer still comes', async () => {
  const { conversation, remembered } = chat(async (_params, progress) => {
    progress({ kind: 'conversation', conversationId: 'c9' });
    throw new Error('No model.');
  });
  await conversation.ask('one', []);
  assert.deepEqual(remembered, ['c9']);
  assert.equal(conversation.state.conversation, 'c9');
});

test('a name that the server refuses is a sentence', async () => {
  const { conversation } = chat(endless);
  await conversation.rename('known', 'New');
  assert.equal(conversation.state.problem, '');
  Object.assign(conversation.server, {
    rename: async () => Promise.reject(new Error('Too long.')),
  });
  await conversation.rename('known', 'Newer');
  assert.equal(conversation.state.problem, 'Too long.');
});

test('what does not go with a question is said where it is asked', async () => {
  const { conversation } = chat(async () => ended('c1', 'yes'));
  await conversation.ask('see @gone.py', [], undefined, ['There is no file gone.py.']);
  const [question, answer] = conversation.state.items;
  assert.equal(question?.kind, 'question');
  assert.deepEqual(answer?.kind === 'answer' && answer.blocks, [
    { kind: 'notice', text: 'There is no file gone.py.' },
    { kind: 'text', text: 'yes' },
  ]);
});

test('an edit that nobody decided about comes back with its conversation', async () => {
  const kept = store();
  const proposing: Turn = async (_params, progress) => {
    progress({ kind: 'conversation', conversationId: 'known' });
    for (const id of ['e1', 'e2']) progress({ kind: 'edit', id, label: id, edit: {}, files: [] });
    return ended('known', 'Here they are.');
  };
  const first = chat(proposing, kept).conversation;
  await first.ask('change it', []);
  await first.settle('e1', async () => 'applied');
  await first.settle('e2', async () => 'proposed');

  const { conversation } = chat(proposing, kept);
  const said = [
    { role: 'user' as const, text: 'change it' },
    { role: 'assistant' as const, text: 'Here they are.' },
  ];
  conversation.server.get = async (conversationId) => ({
    ...{ conversationId, title: '', updated: '' },
    messages: said,
  });
  await conversation.open('known');
  const last = conversation.state.items.at(-1);
  const edits = last?.kind === 'answer' ? last.blocks.filter(({ kind }) => kind === 'edit') : [];
  assert.deepEqual(
    edits.map((block) => block.kind === 'edit' && [block.id, block.state, block.files]),
    [['e2', 'proposed', ['a.py']]],
  );
  const decided: string[] = [];
  await conversation.settle('e2', async ({ label }) => {
    decided.push(label);
    return 'discarded';
  });
  assert.deepEqual(decided, ['e2']);
  assert.deepEqual(new Proposals(kept).of('known'), []);
});

test('edits go with what proposed them: a question asked anew, a conversation deleted', async () => {
  const kept = store();
  let turn = 0;
  const { conversation } = chat(async (_params, progress) => {
    progress({ kind: 'conversation', conversationId: 'known' });
    progress({ kind: 'edit', id: `e${++turn}`, label: '', edit: {}, files: [] });
    return ended('known', 'Here it is.');
  }, kept);
  const ids = (): string[] => new Proposals(kept).of('known').map(({ id }) => id);
  await conversation.ask('one', []);
  await conversation.ask('three', []);
  assert.deepEqual(ids(), ['e1', 'e2']);
  await conversation.ask('two', [], 1);
  assert.deepEqual(ids(), ['e1', 'e3']);
  await conversation.delete('known');
  assert.deepEqual(ids(), []);
});
