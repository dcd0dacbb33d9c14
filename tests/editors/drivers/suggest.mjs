// Ghost text: it appears, is superseded while typing, and is accepted to the last byte, with
// brackets that close themselves; then in the middle of a line, snoozed, and off for a language.
// The bracket that closed itself stays where it is: the ghost text goes around it.
const GHOST = 'a, b:\n    return a + b';

export const files = { 'a.py': 'x = 1\n' };

export default async function suggest(session) {
  const { page } = session;
  await session.ready();

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
  // Keys that come at once may be one input to the editor, which then closes no bracket.
  await session.until('the ghost of the last place', async () => {
    const closed = (await session.lines()).includes('def add()');
    return (await session.ghost()) === (closed ? GHOST : GHOST.replace(':', '):'));
  });
  await session.press('Escape');
  await session.equal('Escape dismisses it', () => session.ghost(), '');

  // Word by word.
  await session.press('Shift+Home', 'Delete');
  await session.type('def add(');
  await session.equal('it comes again', () => session.ghost(), GHOST);
  await session.press('Control+ArrowRight');
  await session.until('one word is accepted', async () =>
    (await session.lines()).some((line) => /def add\(a\)?/.test(line)),
  );
  await session.picture('word');
  await session.press('Escape', 'Control+z');

  await besideTheList(session);
  await fromTheList(session);

  // Silenced, nothing comes; the status bar says so.
  await session.command('Quillon: Silence Suggestions for a While');
  await session.choose('15 minutes');
  await session.until('the status bar shows the silence', () =>
    page.locator('.statusbar-item .codicon-bell-slash').count(),
  );
  await session.picture('snoozed');
  await session.command('Quillon: Silence Suggestions for a While');
  await session.choose('again');

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
  await session.press('Control+End', 'Enter', 'Shift+Home');
  await session.type('ad');
  const list = await suggestions(session, 'add');
  await session.type('d');
  await session.picture('list');
  await session.press('Escape');
  await list.waitFor({ state: 'hidden' });
  await session.press('Control+z');
}

/** What the list would insert is gone on with: the ghost text extends the chosen item. */
async function fromTheList(session) {
  await session.press('Control+End', 'Enter', 'Shift+Home');
  await session.type('addition = 1');
  await session.press('Enter');
  await session.type('addi');
  const list = await suggestions(session, 'addition');
  await session.until('the ghost text goes on', async () => {
    const line = (await session.shown()).at(-1);
    return line === 'addition + 41';
  });
  await session.picture('from-the-list');
  await session.press('Tab');
  await list.waitFor({ state: 'hidden' });
  await session.equal('the item is accepted', async () => (await session.lines()).at(-1), 'addition');
  await session.equal('the rest is still there', () => session.ghost(), ' + 41');
  await session.press('Tab');
  await session.equal('and is accepted', async () => (await session.lines()).at(-1), 'addition + 41');
  await session.press('Control+z', 'Control+z', 'Control+z');
}

/** Open the list of suggestions, and wait for a row. */
async function suggestions(session, text) {
  const list = session.page.locator('.suggest-widget.visible');
  await session.again('the list of suggestions', async (timeout) => {
    await session.press('Control+Space');
    await list.locator('.monaco-list-row', { hasText: text }).first().waitFor({ timeout });
  });
  return list;
}
