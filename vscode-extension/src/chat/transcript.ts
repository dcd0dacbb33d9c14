/** Stored messages as the chat shows them. */

import type { ConversationMessage } from '../protocol';
import type { Answer, Block, Item, ToolBlock } from './state';

/** Questions, and between them everything the assistant and its tools said, as one answer. */
export function itemsOf(messages: readonly ConversationMessage[]): readonly Item[] {
  const items: Item[] = [];
  for (const message of messages) {
    if (message.role === 'user') {
      const references = (message.attached ?? []).map((label) => ({ label, detail: '', uri: '' }));
      items.push({ kind: 'question', text: message.text ?? '', references });
      continue;
    }
    const last = items.at(-1);
    const answer: Answer =
      last?.kind === 'answer'
        ? last
        : { kind: 'answer', blocks: [], outcome: { reason: 'stop', usage: null, problem: '' } };
    const blocks =
      message.role === 'tool' ? answered(answer.blocks, message) : said(answer.blocks, message);
    if (last?.kind === 'answer') items.pop();
    items.push({ ...answer, blocks });
  }
  return items;
}

function said(blocks: readonly Block[], message: ConversationMessage): readonly Block[] {
  const text: readonly Block[] = message.text ? [{ kind: 'text', text: message.text }] : [];
  const tools: readonly ToolBlock[] = (message.toolCalls ?? []).map((call) => ({
    kind: 'tool',
    id: call.id,
    name: call.name,
    arguments: call.arguments,
    state: call.state,
    result: null,
    approval: null,
  }));
  return [...blocks, ...text, ...tools];
}

function answered(blocks: readonly Block[], message: ConversationMessage): readonly Block[] {
  const ok = message.ok ?? true;
  return blocks.map((block) =>
    block.kind === 'tool' && block.id === message.toolCallId
      ? {
          ...block,
          state: ok ? 'done' : block.state === 'denied' ? 'denied' : 'failed',
          result: { ok, preview: message.text ?? '' },
        }
      : block,
  );
}

/** How many of the first `keep` questions on the page the server has. */
export function storedTurns(
  items: readonly Item[],
  keep: number,
  messages: readonly ConversationMessage[],
): number {
  const stored = messages.filter(({ role }) => role === 'user');
  let found = 0;
  for (const question of items.filter((item) => item.kind === 'question').slice(0, keep)) {
    if (stored[found]?.text?.endsWith(question.text) === true) found++;
  }
  return found;
}
