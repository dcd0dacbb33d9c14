/** The page's words. The host translates them once; the page knows no translation. */

export const english = {
  ask: 'Ask about your code. @ names a file or symbol, #selection the selected code.',
  send: 'Send',
  stop: 'Stop',
  newChat: 'New conversation',
  history: 'Conversations',
  search: 'Search conversations',
  noConversations: 'No conversations found.',
  you: 'You',
  quillon: 'Quillon',
  edit: 'Edit and ask again',
  copy: 'Copy',
  copied: 'Copied',
  insert: 'Insert',
  insertTitle: 'Insert at the cursor',
  review: 'Review',
  reviewTitle: 'Review as a diff before it is inserted',
  reviewChanges: 'Review changes',
  apply: 'Apply',
  discard: 'Discard',
  applied: 'Applied',
  discarded: 'Discarded',
  notApplied: 'Not applied',
  allowOnce: 'Allow once',
  allowSession: 'Allow in this conversation',
  deny: 'Deny',
  denyReason: 'Why not, for the model',
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
  toolLimit: 'The turn reached its limit of tool calls.',
  starting: 'Quillon is starting…',
  retry: 'Try again',
  showLog: 'Show log',
  loading: 'The model is loading…',
  export: 'Export as Markdown',
  delete: 'Delete',
  turns: '{0} questions',
  usage: '{0} tokens read ({1} cached), {2} written',
  speed: '{0} tokens/s',
  remove: 'Remove {0}',
  suggestions: 'Files and symbols',
  answered: 'The answer is complete.',
  approvalAsked: 'Quillon asks for your approval.',
  welcome:
    'Ask a question, or select code and choose “Explain” in the editor. Everything stays on this machine.',
  embedded: 'The small model that comes with Quillon answers. Choose a larger one for real work.',
} as const;

export type Strings = Readonly<Record<keyof typeof english, string>>;

/** A string with `{0}`, `{1}` … replaced. */
export function filled(text: string, ...values: readonly (string | number)[]): string {
  return text.replace(/\{(\d+)\}/g, (whole, index: string) =>
    String(values[Number(index)] ?? whole),
  );
}
