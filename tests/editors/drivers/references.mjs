// References: files and symbols behind `@`, the selection behind `#`, code attached from the editor.
export const files = { 'a.py': 'def add(a, b):\n    return a + b\n' };

export default async function references(session) {
  const { chat } = session;
  await session.newChat();
  await session.ready();
  const input = chat.locator('textarea');
  const chip = (name) => chat.locator('.composer .chip', { hasText: name });

  await chat.locator('[aria-label="Attach a file or symbol"]').click();
  await chat.locator('.offer li', { hasText: '@a.py' }).first().waitFor();
  await session.picture('offer');
  await input.press('Escape');
  await input.fill('');
  await input.pressSequentially('What is attached? @a.p', { delay: 30 });
  await chat.locator('.offer li', { hasText: '@a.py' }).first().waitFor();
  await input.press('Enter');
  await chip('@a.py').waitFor();
  await session.equal('the name is in the question', () => input.inputValue(), 'What is attached? @a.py ');

  await input.pressSequentially('and #sel', { delay: 30 });
  await chat.locator('.offer li', { hasText: '#selection' }).waitFor();
  await input.press('Tab');
  await session.equal('the selection is named', () => input.inputValue(), 'What is attached? @a.py and #selection ');
  await session.focusEditor();
  await session.press('Control+Home', 'Shift+ArrowDown');
  await session.cursorAt('Ln 2, Col 1 (');
  await input.press('Enter');
  await session.answer(1);
  const question = chat.locator('article.question').first();
  await question.locator('.chip', { hasText: 'a.py:1' }).waitFor();
  await session.picture('attached');
  await question.locator('.chip', { hasText: '@a.py' }).click();
  // The click opens the file, which takes the focus.
  await session.shows('a.py');

  await symbols(session);
  await leftOut(session);

  // From the editor's menu; the chip takes its mark along when it is removed.
  await session.focusEditor();
  await session.press('Control+a');
  await session.command('Quillon: Add the Selection to the Chat');
  await chip('@a.py:1-').waitFor();
  await chip('@a.py:1-').locator('button').click();
  await session.equal('it is gone', () => input.inputValue(), '');

  await hidden(session);

  // Opened from the list, the question comes back without what was attached to it in its text.
  await session.newChat();
  await session.command('Quillon: Show the Conversations');
  await chat.locator('.history .row-open', { hasText: '@a.py' }).first().click();
  await question.locator('.chip', { hasText: 'a.py' }).first().waitFor();
  await session.equal('the question is as it was asked', async () =>
    (await question.locator('.question-text').textContent())?.trim(), 'What is attached? @a.py and #selection');

  await byHand(session);
}

/** A file whose name was typed is attached; what stands for nothing is said to. */
async function byHand(session) {
  await session.newChat();
  await session.focusEditor();
  await session.press('Control+Home');
  await session.cursorAt('Ln 1, Col 1');
  await session.ask('What is attached? @a.py @gone.py #selection please');
  const answer = await session.answer(1);
  await answer.locator('.notice', { hasText: 'Nothing is selected' }).waitFor();
  await answer.locator('.notice', { hasText: 'no file or symbol gone.py' }).waitFor();
  await session.chat.locator('article.question .chip', { hasText: '@a.py' }).waitFor();
  await session.picture('by-hand');
}

/** What the model has no room for is named. */
async function leftOut(session) {
  session.write('long.py', 'value = [1, 2, 3, 4, 5, 6, 7, 8]\n'.repeat(4_000));
  const input = session.chat.locator('textarea');
  await session.again('the file is offered', async (timeout) => {
    await input.fill('');
    await input.pressSequentially('What is attached? @long', { delay: 30 });
    await session.chat.locator('.offer li[aria-selected=true]', { hasText: '@long.py' }).waitFor({ timeout });
  });
  await input.press('Enter');
  await input.press('Enter');
  const answer = await session.answer(2);
  await answer.locator('.notice', { hasText: /long\.py/ }).waitFor();
  await session.picture('left-out');
}

/** Symbols come from Quillon's own index of the workspace, also of files that are not open. */
async function symbols(session) {
  session.write('greet.py', 'def greetings(name):\n    return name\n');
  const input = session.chat.locator('textarea');
  // Rows found for fewer letters may stand above it; Enter takes the chosen one.
  const row = session.chat.locator('.offer li[aria-selected=true]', { hasText: '@greetings' });
  await session.again('the symbol is offered', async (timeout) => {
    await input.fill('');
    await input.pressSequentially('@greetings', { delay: 30 });
    await row.waitFor({ timeout });
  });
  await input.press('Enter');
  await session.chat.locator('.composer .chip', { hasText: '@greetings' }).waitFor();
  await session.picture('symbol');
  await input.fill('');
}

/** While the view is hidden it has no page; what is attached waits for the next one. */
async function hidden(session) {
  const input = session.chat.locator('textarea');
  const chip = (name) => session.chat.locator('.composer .chip', { hasText: name });
  session.write('my file.py', 'first = 1\nsecond = 2\n');
  await session.again('a name with a space is offered', async (timeout) => {
    await input.fill('');
    await input.pressSequentially('What is attached? @my', { delay: 30 });
    await session.chat.locator('.offer li[aria-selected=true]', { hasText: '@my file.py' }).waitFor({ timeout });
  });
  await input.press('Enter');
  await chip('@my file.py').waitFor();
  await session.openFile('my file.py');
  await session.press('Control+Home', 'Shift+ArrowDown');
  await session.cursorAt('Ln 2, Col 1 (');
  await session.command('View: Show Explorer');
  await session.page.locator('.explorer-folders-view').waitFor();
  await session.command('Quillon: Add the Selection to the Chat');
  await chip('@my file.py:1').waitFor();
  await session.equal('both are attached', () => chip('@my file.py').count(), 2);
  await session.equal('and in the question', () => input.inputValue(),
    'What is attached? @my file.py @my file.py:1 ');
  await session.picture('attached-anew');
  await input.fill('');
}
