// References: files and symbols behind `@`, the selection behind `#`, code attached from the editor.
export default async function references(session) {
  const { chat } = session;
  session.write('a.py', 'def add(a, b):\n    return a + b\n');
  await session.openFile('a.py');
  await session.openChat();
  await session.until('Quillon is ready', async () => /ready/.test(await session.status()));
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
  await input.press('Enter');
  await session.answer(1);
  const question = chat.locator('article.question').first();
  await question.locator('.chip', { hasText: 'a.py:1' }).waitFor();
  await session.picture('attached');
  await question.locator('.chip', { hasText: '@a.py' }).click();
  await session.page.locator('.tab.active', { hasText: 'a.py' }).waitFor();

  await symbols(session);

  // From the editor's menu; the chip takes its mark along when it is removed.
  await session.focusEditor();
  await session.press('Control+a');
  await session.command('Quillon: Add the Selection to the Chat');
  await chip('@a.py:1-').waitFor();
  await chip('@a.py:1-').locator('button').click();
  await session.equal('it is gone', () => input.inputValue(), ' ');

  // A reload brings the question back without what was attached to it in its text.
  await session.load();
  await session.openChat();
  await question.locator('.chip', { hasText: 'a.py' }).first().waitFor();
  await session.equal('the question is as it was asked', async () =>
    (await question.locator('.question-text').textContent())?.trim(), 'What is attached? @a.py and #selection');
}

/** Symbols come from whatever knows them: here the editor's own TypeScript. */
async function symbols(session) {
  session.write('greet.ts', 'export function greetings(name: string): string {\n  return name;\n}\n');
  await session.openFile('greet.ts');
  const input = session.chat.locator('textarea');
  const row = session.chat.locator('.offer li', { hasText: '@greetings' }).first();
  await session.until('the symbol is offered', async () => {
    await input.fill('');
    await input.pressSequentially('@greetings', { delay: 30 });
    return row.waitFor({ timeout: 5_000 }).then(
      () => true,
      () => false,
    );
  });
  await input.press('Enter');
  await session.chat.locator('.composer .chip', { hasText: '@greetings' }).waitFor();
  await session.picture('symbol');
  await input.fill('');
  await session.openFile('a.py');
}
