// A code action is listed, resolved by the model, applied, and undone in one step; "Explain"
// answers in the chat.
const SOURCE = 'def add(a, b):\n    return a + b\n';

export default async function actions(session) {
  const { page } = session;
  session.write('a.py', SOURCE);
  await session.openFile('a.py');
  await session.until('Quillon is ready', async () => /ready/.test(await session.status()));
  await session.focusEditor();
  await session.press('Control+Home');

  // Nothing changes before the change is accepted. A menu that is renewed while it is clicked
  // closes without a choice: then it is opened again.
  const accept = page.locator('.codelens-decoration a', { hasText: 'Accept' }).first();
  await session.until('the change is there to review', async () => {
    await menu(session);
    await session.picture('actions');
    await action(page, 'Write a docstring for add').click();
    try {
      await accept.waitFor({ timeout: 20_000 });
      return true;
    } catch {
      return false;
    }
  });
  await session.picture('action-review');
  await accept.click();
  await session.equal('the docstring is written', () => session.lines(), [
    'def add(a, b):',
    '    """Return the sum of two numbers."""',
    '    return a + b',
    '',
  ]);
  await session.picture('docstring');
  await session.press('Control+z');
  await session.equal('one undo takes it back', () => session.lines(), [...SOURCE.split('\n')]);
  await session.save();
  await session.equal('the file is as before', () => session.read('a.py'), SOURCE);

  await session.focusEditor();
  await session.press('Control+Home');
  await menu(session);
  await action(page, 'Explain this').click();
  const answer = await session.answer(1);
  await answer.locator('strong', { hasText: 'adds' }).waitFor();
  await session.picture('explained');

  // The same from a selection, by the command of the editor's menu.
  await session.focusEditor();
  await session.press('Control+a');
  await session.command('Quillon: Explain the Selected Code');
  await session.until('a new conversation', async () =>
    (await session.chat.locator('article.question').allTextContents()).some((text) =>
      text.includes('Explain this code.'),
    ),
  );
  await session.answer(1);
}

function action(page, title) {
  return page.locator('.action-widget .monaco-list-row', { hasText: title }).first();
}

/** Open the menu of code actions; it may be asked for before the server knows the file. */
async function menu(session) {
  const row = action(session.page, 'Explain this');
  await session.until('the menu has our actions', async () => {
    await session.press('Control+.');
    try {
      await row.waitFor({ timeout: 5_000 });
      return true;
    } catch {
      await session.press('Escape');
      return false;
    }
  });
}
