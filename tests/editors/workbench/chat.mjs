// The chat: a streamed answer that used a tool, approval denied and granted, stop, hostile
// Markdown, references, the list of conversations, and all of it after a reload.
import fs from 'node:fs';
import path from 'node:path';

export default async function chat(session) {
  session.write('a.py', 'def add(a, b):\n    return a + b\n');
  fs.mkdirSync(path.join(session.workspace, 'tests'));
  session.write(
    'tests/test_add.py',
    'from a import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n',
  );
  session.write('conftest.py', '');
  await session.openFile('a.py');
  await session.openChat();
  await session.until('Quillon is ready', async () => /ready/.test(await session.status()));
  await session.picture('welcome');

  await toolCall(session);
  await approvals(session);
  await stop(session);
  await edits(session);
  await hostile(session);
  await references(session);
  await conversations(session);
  await themes(session);
  await reload(session);
}

async function toolCall(session) {
  const { chat } = session;
  await session.ask('What does add do?');
  const answer = await session.answer(1);
  const card = answer.locator('.card.tool.done');
  await card.locator('summary', { hasText: 'read_file' }).click();
  await card.getByText('def add').first().waitFor();
  await answer.locator('strong', { hasText: 'sum' }).waitFor();
  await answer.locator('.code pre .hljs-built_in, .code pre .hljs-title').first().waitFor();
  await answer.locator('.usage', { hasText: 'tokens' }).waitFor();
  await session.picture('answer');

  // The place in the answer opens the file; the code goes to its cursor.
  await answer.locator('a.place', { hasText: 'a.py:1' }).click();
  await session.page.locator('.tab.active', { hasText: 'a.py' }).waitFor();
  await session.focusEditor();
  await session.press('Control+End');
  await answer.locator('.code-bar .button', { hasText: 'Insert' }).click();
  await session.until('the code is inserted', async () =>
    (await session.lines()).includes('print(add(1, 2))'),
  );
  await session.focusEditor();
  await session.press('Control+z');
  await chat.locator('textarea').focus();
}

async function approvals(session) {
  await session.ask('Run the tests now');
  const first = session.chat.locator('article.answer').nth(1);
  await first.locator('.approval .run').waitFor();
  await session.picture('approval');
  await first.locator('.approval .reason').fill('Not on this machine.');
  await first.locator('.approval .button', { hasText: 'Deny' }).click();
  await (await session.answer(2)).getByText('Then I do not know.').waitFor();
  await first.locator('.card.tool.denied, .card.tool.failed').waitFor();

  await session.ask('Run the tests again');
  const second = session.chat.locator('article.answer').nth(2);
  await second.locator('.approval .button', { hasText: 'Allow once' }).click();
  await (await session.answer(3)).getByText('The tests pass.').waitFor();
  const card = second.locator('.card.tool.done');
  await card.locator('summary').click();
  await card.getByText('passed').first().waitFor();
  await session.picture('approved');
}

async function stop(session) {
  const { chat } = session;
  await session.ask('Count to a hundred');
  await chat.locator('article.answer').nth(3).getByText('one two three').waitFor();
  await chat.locator('button[aria-label="Stop"]').click();
  await (await session.answer(4)).getByText('Stopped.').waitFor();
  await chat.locator('button[aria-label="Send"]').waitFor();
  await session.picture('stopped');
}

/** A proposed edit is approved with its diff, then applied whole, or reviewed hunk by hunk. */
async function edits(session) {
  const { page } = session;
  const card = async (question, count) => {
    await session.ask(question);
    const answer = session.chat.locator('article.answer').nth(count - 1);
    await answer.locator('.approval .run', { hasText: '+def' }).waitFor();
    await answer.locator('.approval .button', { hasText: 'Allow once' }).click();
    return (await session.answer(count)).locator('.card.edit');
  };
  const first = await card('Call it plus', 5);
  await session.picture('edit');
  await first.locator('.button', { hasText: 'Apply' }).click();
  await first.getByText('Applied').waitFor();
  await session.equal('the edit is applied', async () => (await session.lines())[0], 'def plus(a, b):');
  await session.focusEditor();
  await session.press('Control+z');
  await session.equal('and undone', async () => (await session.lines())[0], 'def add(a, b):');

  const second = await card('Call it sum_of', 6);
  await second.locator('.button', { hasText: 'Review changes' }).click();
  const preview = page.locator('.bulk-edit-panel');
  await preview.locator('.monaco-list-row', { hasText: 'a.py' }).first().waitFor();
  await session.picture('review');
  await preview.locator('.edit-checkbox').first().click();
  await preview.locator('.monaco-button', { hasText: 'Apply' }).first().click();
  await second.getByText('Applied').waitFor();
  await session.equal('the hunk is applied', async () => (await session.lines())[0], 'def sum_of(a, b):');
  await session.focusEditor();
  await session.press('Control+z');
}

async function hostile(session) {
  await session.ask('Be hostile');
  const answer = await session.answer(7);
  await answer.getByText('onerror').first().waitFor();
  for (const selector of ['img', 'script', 'a[href^="javascript"]', 'a[href^="command"]']) {
    await session.equal(`no ${selector}`, () => answer.locator(selector).count(), 0);
  }
  const hacked = await session.chat.locator('body').getAttribute('data-hacked');
  await session.equal('nothing ran', async () => hacked, null);
  await session.picture('hostile');
}

async function references(session) {
  const input = session.chat.locator('textarea');
  await input.fill('');
  await input.pressSequentially('What is @a.p', { delay: 30 });
  await session.chat.locator('.offer li', { hasText: '@a.py' }).first().waitFor();
  await session.picture('references');
  await input.press('Enter');
  await session.chat.locator('.composer .chip', { hasText: '@a.py' }).waitFor();
  await session.equal('the name is in the question', () => input.inputValue(), 'What is @a.py ');
  await input.fill('');
}

async function conversations(session) {
  const { chat } = session;
  await chat.locator('button[aria-label="New conversation"]').click();
  await session.equal('it is empty', () => chat.locator('article').count(), 0);
  await chat.locator('button[aria-label="Conversations"]').click();
  const row = chat.locator('.row', { hasText: 'What does add do?' });
  await row.waitFor();
  await session.picture('conversations');
  await chat.locator('input.search').fill('nothing has these words');
  await chat.getByText('No conversations found.').waitFor();
  await chat.locator('input.search').fill('');
  await row.locator('.row-open').click();
  await session.equal('it is back', () => chat.locator('article.answer').count(), 7);
}

async function themes(session) {
  const { page } = session;
  for (const theme of ['Dark Modern', 'Dark High Contrast']) {
    await session.command('Preferences: Color Theme');
    const input = page.locator('.quick-input-widget input[type=text]');
    await input.fill(theme);
    await page.locator('.quick-input-list .monaco-list-row', { hasText: theme }).first().click();
    await page.waitForTimeout(500);
    await session.picture(theme.toLowerCase().replaceAll(' ', '-'));
  }
}

async function reload(session) {
  const input = session.chat.locator('textarea');
  await input.fill('a question half written');
  await session.page.waitForTimeout(1_500);
  await session.load();
  await session.openChat();
  await session.equal('the conversation is back', () => session.chat.locator('article.answer').count(), 7);
  await session.chat.getByText('The tests pass.').waitFor();
  await session.equal('the draft too', () => input.inputValue(), 'a question half written');
  await session.picture('reloaded');
}
