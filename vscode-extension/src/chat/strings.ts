/** The page's words. The host translates them once; the page knows no translation. */

import type { ChatUsage } from '../protocol';

export const english = {
  ask: 'Ask about your code, @ for files and symbols, #selection for what is selected',
  send: 'Send',
  stop: 'Stop',
  newChat: 'New conversation',
  history: 'Conversations',
  search: 'Search conversations',
  noConversations: 'No conversations found.',
  conversation: 'Questions and answers',
  you: 'You',
  quillon: 'Quillon',
  edit: 'Edit and ask again',
  copy: 'Copy',
  copied: 'Copied',
  insertTitle: 'Insert at the cursor',
  reviewTitle: 'Review as a diff before it is inserted',
  reviewChanges: 'Review',
  apply: 'Apply',
  discard: 'Discard',
  applied: 'Applied',
  partly: 'Applied in part',
  discarded: 'Discarded',
  deciding: 'In progress…',
  notApplied: 'Not applied',
  allowOnce: 'Allow once',
  allowSession: 'Allow in this conversation',
  deny: 'Deny',
  waiting: 'Waiting for your approval.',
  willChange: 'This is the change:',
  denyReason: 'Reason to deny, told to the model',
  willRun: 'This will run:',
  arguments: 'Arguments',
  result: 'Result',
  proposed: 'waiting',
  running: 'running',
  done: 'done',
  failed: 'failed',
  denied: 'denied',
  thinking: 'Working…',
  cancelled: 'Stopped.',
  tooLong:
    'The answer reached its longest length. Ask for the rest, or raise quillon.chat.maxTokens.',
  toolLimit:
    'The turn reached its limit of tool calls. Ask it to go on, or raise quillon.chat.maxToolCalls.',
  starting: 'Quillon is starting…',
  install: 'Install',
  settings: 'Open settings',
  restart: 'Try again',
  log: 'Show log',
  loading: 'The model is loading…',
  export: 'Export as Markdown',
  rename: 'Rename',
  delete: 'Delete',
  editing: 'Your question and what follows it will be replaced.',
  cancel: 'Cancel',
  dismiss: 'Dismiss',
  attach: 'Attach a file or symbol',
  chooseModel: 'Choose a model',
  recent: 'Recent conversations',
  allConversations: 'All conversations',
  proposals: 'Questions to begin with',
  askProject: 'What does this project do?',
  askSelection: 'Explain #selection',
  askTests: 'Which tests cover #selection?',
  local: 'It reads your workspace with tools, and asks before it changes or runs anything.',
  turn: '1 question',
  turns: '{0} questions',
  usage: '{0} tokens read ({1} cached), {2} written',
  speed: '{0} tokens/s',
  remove: 'Remove {0}',
  suggestions: 'Files and symbols',
  answered: 'The answer is complete.',
  approvalAsked: 'Quillon asks for your approval.',
  welcome: 'Ask about your code',
  embedded:
    'The small model that comes with Quillon is for a first look. Choose a larger one for real work.',
} as const;

export type Strings = Readonly<Record<keyof typeof english, string>>;

/** A string with `{0}`, `{1}` … replaced. */
export function filled(text: string, ...values: readonly (string | number)[]): string {
  return text.replace(/\{(\d+)\}/g, (whole, index: string) =>
    String(values[Number(index)] ?? whole),
  );
}

/** How many questions a conversation has. */
export function turnsText(count: number, strings: Strings): string {
  return count === 1 ? strings.turn : filled(strings.turns, count);
}

/** How much an answer took, and how fast it came. */
export function usageText(usage: ChatUsage, strings: Strings): string {
  const { promptTokens, cachedTokens, completionTokens, tokensPerSecond } = usage;
  const tokens = filled(strings.usage, promptTokens, cachedTokens, completionTokens);
  const speed = tokensPerSecond > 0 ? filled(strings.speed, tokensPerSecond) : '';
  return [tokens, speed].filter(Boolean).join(', ');
}
