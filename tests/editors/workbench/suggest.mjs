// Ghost text: it appears, is superseded while typing, and is accepted to the last byte, with
// brackets that close themselves; then in the middle of a line, snoozed, and off for a language.
// The bracket that closed itself stays where it is: the ghost text goes around it.
const GHOST = 'a, b:\n    return a + b';

export default async function suggest(session) {
  const { page } = session;
  session.write('a.py', 'x = 1\n');
  await session.openFile('a.py');
  await session.until('Quillon is ready', async () => /ready/.test(await session.status()));

  await session.focusEditor();
  await session.press('Control+End');
  await session.type('def add(');
  await session.equal('ghost text', () => session.ghost(), GHOST);
  await session.equal('the buffer holds what was typed', () => session.lines(), [
    'x = 1',
    'def add()',
  ]);
  await session.picture('ghost');
  await session.press('Tab');
  await session.equal('it is accepted', () => session.lines(), [
    'x = 1',
    'def add(a, b):',
    '    return a + b',
  ]);
  await session.save();
  await session.equal('the file', () => session.read('a.py'), 'x = 1\ndef add(a, b):\n    return a + b');

  // Typed fast, only the last place counts.
  await session.press('Control+End', 'Enter', 'Enter', 'Shift+Home');
  await session.type('def ad', 0);
  await session.type('d(', 0);
  await session.equal('the ghost of the last place', () => session.ghost(), GHOST);
  await session.press('Escape');
  await session.equal('Escape dismisses it', () => session.ghost(), '');

  // Word by word.
  await session.press('Backspace');
  await session.type('(');
  await session.equal('it comes again', () => session.ghost(), GHOST);
  await session.press('Control+ArrowRight');
  await session.until('one word is accepted', async () =>
    (await session.lines()).some((line) => /def add\(a\)?/.test(line)),
  );
  await session.picture('word');
  await session.press('Escape', 'Control+z');

  await besideTheList(session);

  // Silenced, nothing comes; the status bar says so.
  await session.command('Quillon: Silence Suggestions for a While');
  await page.locator('.quick-input-list .monaco-list-row', { hasText: '15 minutes' }).click();
  await session.until('the status bar shows the silence', () =>
    page.locator('.statusbar-item .codicon-bell-slash').count(),
  );
  await session.picture('snoozed');
  await session.command('Quillon: Silence Suggestions for a While');
  await page.locator('.quick-input-list .monaco-list-row', { hasText: 'again' }).click();

  // Off for this language, and on again.
  await session.command('Quillon: Turn Suggestions On or Off for This Language');
  await session.until('the status bar shows that it is off', () =>
    page.locator('.statusbar-item .codicon-bell-slash').count(),
  );
  await session.command('Quillon: Turn Suggestions On or Off for This Language');
  await session.until('it is on again', async () =>
    (await page.locator('.statusbar-item .codicon-bell-slash').count()) === 0,
  );
  await session.command('Quillon: Show the Menu');
  await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Choose a model' }).waitFor();
  await session.picture('menu');
  await session.press('Escape');
}

/** With the suggest widget open typing goes on, and Escape closes the widget and nothing else. */
async function besideTheList(session) {
  const { page } = session;
  await session.press('Control+End', 'Enter', 'Shift+Home');
  await session.type('ad');
  await session.command('Trigger Suggest');
  const list = page.locator('.suggest-widget.visible');
  await list.waitFor();
  await session.type('d');
  await session.picture('list');
  await session.press('Escape');
  await list.waitFor({ state: 'hidden' });
  await session.press('Control+z');
}
