/** The chat's only way to change: `(state, event) -> state`, with no editor and no page in it. */

import type {
  Answer,
  Block,
  Candidate,
  ChatEvent,
  ChatState,
  Connection,
  EditBlock,
  Item,
  Outcome,
  ShownProgress,
  ToolBlock,
} from './state';
import { emptyChat } from './state';
import { itemsOf } from './transcript';

export function reduce(state: ChatState, event: ChatEvent): ChatState {
  switch (event.type) {
    case 'asked':
      return asked(state, event.text, event.references, event.keep);
    case 'begun':
      return { ...state, conversation: event.conversation };
    case 'progress':
      return withBlocks(state, (blocks) => advance(blocks, event.value));
    case 'editProposed':
      return proposed(state, event);
    case 'editChanged':
      return everyBlock(state, (block) => changedEdit(block, event));
    case 'approvalAsked':
      return withBlocks(state, (blocks) => askedApproval(blocks, event));
    case 'approvalSettled':
      return everyBlock(state, (block) =>
        settledApproval(block, event.id, event.decision === 'deny'),
      );
    case 'stopping':
      return state.phase === 'asking' ? { ...state, phase: 'stopping' } : state;
    case 'finished':
      return finished(state, event);
    case 'broken':
      return ended(state, { reason: 'error', usage: null, problem: event.problem });
    case 'problem':
      return { ...state, problem: event.text };
    case 'started':
      return { ...emptyChat, ...lasting(state) };
    case 'opened':
      return {
        ...emptyChat,
        conversation: event.conversation.conversationId,
        title: event.conversation.title,
        items: itemsOf(event.conversation.messages),
        ...lasting(state),
      };
    case 'listed':
      return { ...state, list: { open: true, query: event.query, rows: event.rows }, problem: '' };
    case 'listClosed':
      return { ...state, list: { ...state.list, open: false }, problem: '' };
    case 'recent':
      return { ...state, recent: event.rows };
    case 'renamed':
      return renamed(state, event.conversation, event.title);
    case 'status':
      return { ...state, status: event.status };
    case 'connection':
      return connected(state, event.connection);
  }
}

/** What does not belong to one conversation. */
function lasting({
  status,
  connection,
  recent,
}: ChatState): Pick<ChatState, 'status' | 'connection' | 'recent'> {
  return { status, connection, recent };
}

/** What failed before the server ran is over. */
function connected(state: ChatState, connection: Connection): ChatState {
  return { ...state, connection, problem: connection.kind === 'running' ? '' : state.problem };
}

function asked(
  state: ChatState,
  text: string,
  references: readonly Candidate[],
  keep?: number,
): ChatState {
  const question: Item = { kind: 'question', text, references };
  const answer: Item = { kind: 'answer', blocks: [], outcome: null };
  const before = keep === undefined ? state.items : state.items.slice(0, startOf(state, keep));
  return {
    ...state,
    title: state.title || text,
    items: [...before, question, answer],
    phase: 'asking',
    problem: '',
    list: { ...state.list, open: false },
  };
}

/** Where the question with a number, from 0, stands among the items. */
function startOf({ items }: ChatState, number: number): number {
  const places = items.flatMap((item, index) => (item.kind === 'question' ? [index] : []));
  return places[number] ?? items.length;
}

function renamed(state: ChatState, conversation: string, title: string): ChatState {
  const rename = <Row extends { readonly conversationId: string }>(rows: readonly Row[]) =>
    rows.map((row) => (row.conversationId === conversation ? { ...row, title } : row));
  return {
    ...state,
    title: conversation === state.conversation ? title : state.title,
    list: { ...state.list, rows: rename(state.list.rows) },
    recent: rename(state.recent),
  };
}

/** The answer that streams is the last item; progress that comes after its end is dropped. */
function withBlocks(
  state: ChatState,
  change: (blocks: readonly Block[]) => readonly Block[],
): ChatState {
  const last = state.items.at(-1);
  return last?.kind === 'answer' && last.outcome === null ? withLast(state, change) : state;
}

/** The blocks of the last answer, which may have ended. */
function withLast(
  state: ChatState,
  change: (blocks: readonly Block[]) => readonly Block[],
): ChatState {
  const last = state.items.at(-1);
  if (last?.kind !== 'answer') return state;
  return {
    ...state,
    items: [...state.items.slice(0, -1), { ...last, blocks: change(last.blocks) }],
  };
}

function everyBlock(state: ChatState, change: (block: Block) => Block): ChatState {
  return {
    ...state,
    items: state.items.map((item) => {
      if (item.kind !== 'answer') return item;
      const blocks = item.blocks.map(change);
      return blocks.every((block, index) => block === item.blocks[index])
        ? item
        : { ...item, blocks };
    }),
  };
}

function advance(blocks: readonly Block[], value: ShownProgress): readonly Block[] {
  switch (value.kind) {
    case 'text':
      return appended(blocks, value.text);
    case 'notice':
      return [...blocks, { kind: 'notice', text: value.text }];
    case 'toolCall':
      return withTool(blocks, value.id, (tool) => ({
        ...tool,
        name: value.name,
        arguments: value.arguments,
        state: value.state,
        approval: value.state === 'proposed' ? tool.approval : null,
      }));
    case 'toolResult':
      return withTool(blocks, value.id, (tool) => ({
        ...tool,
        result: { ok: value.ok, preview: value.preview },
      }));
  }
}

function appended(blocks: readonly Block[], text: string): readonly Block[] {
  const last = blocks.at(-1);
  if (last?.kind !== 'text') return [...blocks, { kind: 'text', text }];
  return [...blocks.slice(0, -1), { ...last, text: last.text + text }];
}

function withTool(
  blocks: readonly Block[],
  id: string,
  change: (tool: ToolBlock) => ToolBlock,
): readonly Block[] {
  const fresh: ToolBlock = {
    kind: 'tool',
    id,
    name: '',
    arguments: {},
    state: 'proposed',
    result: null,
    approval: null,
  };
  if (!blocks.some((block) => block.kind === 'tool' && block.id === id))
    return [...blocks, change(fresh)];
  return blocks.map((block) => (block.kind === 'tool' && block.id === id ? change(block) : block));
}

function askedApproval(
  blocks: readonly Block[],
  event: Extract<ChatEvent, { type: 'approvalAsked' }>,
): readonly Block[] {
  return withTool(blocks, event.id, (tool) => ({
    ...tool,
    name: event.name,
    arguments: event.arguments,
    approval: event.approval,
  }));
}

function settledApproval(block: Block, id: string, denied: boolean): Block {
  if (block.kind !== 'tool' || block.id !== id || block.approval === null) return block;
  return { ...block, approval: null, state: denied ? 'denied' : block.state };
}

function proposed(
  state: ChatState,
  event: Extract<ChatEvent, { type: 'editProposed' }>,
): ChatState {
  const into = event.before ? withLast : withBlocks;
  return into(state, (blocks) => [...blocks, proposedEdit(event)]);
}

function proposedEdit(event: Extract<ChatEvent, { type: 'editProposed' }>): EditBlock {
  const { id, label, files } = event;
  return { kind: 'edit', id, label, files, state: 'proposed', problem: '' };
}

function changedEdit(block: Block, event: Extract<ChatEvent, { type: 'editChanged' }>): Block {
  if (block.kind !== 'edit' || block.id !== event.id) return block;
  return { ...block, state: event.state, problem: event.problem };
}

function finished(state: ChatState, event: Extract<ChatEvent, { type: 'finished' }>): ChatState {
  // A server that streamed nothing still gave its answer with the result.
  const silent = withBlocks(state, (blocks) =>
    blocks.some((block) => block.kind === 'text') || event.text === ''
      ? blocks
      : [...blocks, { kind: 'text', text: event.text }],
  );
  return { ...ended(silent, event.outcome), conversation: event.conversation };
}

function ended(state: ChatState, outcome: Outcome): ChatState {
  const last = state.items.at(-1);
  if (last?.kind !== 'answer' || last.outcome !== null) return { ...state, phase: 'idle' };
  const answer: Answer = { ...last, blocks: last.blocks.map(abandoned), outcome };
  return { ...state, items: [...state.items.slice(0, -1), answer], phase: 'idle' };
}

/** A call that was still open when its turn ended will never run. */
function abandoned(block: Block): Block {
  if (block.kind !== 'tool' || !['proposed', 'running'].includes(block.state)) return block;
  return { ...block, approval: null, state: block.state === 'proposed' ? 'denied' : 'failed' };
}
