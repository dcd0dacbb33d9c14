// Ghost text: it appears, is superseded while typing, and is accepted to the last byte, with
// brackets that close themselves; word by word, in the middle of a line, beside and from the list; and
// none while it is silenced or off.
// The bracket that closed itself stays where it is: the ghost text goes around it.
const GHOST = 'a, b:\n    return a + b';

const SETTINGS = '.vscode/settings.json';

export const files = {
  'a.py': 'x = 1\n',
  // A folder's own value is the one that counts, and is to be changed.
  [SETTINGS]: JSON.stringify({ 'quillon.inline.enabled': true }),
};

export default async function suggest(session) {
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

  await wordByWord(session);
  await inTheMiddle(session);
  await besideTheList(session);
  await fromTheList(session);
  await silenced(session);
  await off(session);

  await session.command('Quillon: Show the Menu');
  await session.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Choose a model' }).waitFor();
  await session.picture('menu');
  await session.press('Escape');
}

/** What is left after a word is the rest, to the last letter. */
async function wordByWord(session) {
  await session.press('End', 'Shift+Home', 'Delete');
  await session.type('def add(');
  await session.equal('it comes again', () => session.ghost(), GHOST);
  await session.press('Control+ArrowRight');
  await session.equal('one word is accepted', async () => (await session.lines()).at(-1), 'def add(a)');
  await session.equal('the rest is left', () => session.ghost(), GHOST.slice(1));
  await session.picture('word');
  await session.press('Tab');
  await session.equal('the whole is there', async () => (await session.lines()).slice(-2), [
    'def add(a, b):',
    '    return a + b',
  ]);
}

/** What follows in the line stays behind what is accepted. */
async function inTheMiddle(session) {
  await session.press('Control+End', 'Enter', 'Shift+Home');
  await session.type('  # of both');
  await session.press('Home', 'Home');
  await session.type('addition');
  await session.equal('ghost text within the line', async () => (await session.shown()).at(-1), 'addition + 41  # of both');
  await session.picture('middle');
  await session.press('Tab');
  await session.equal('it is accepted', async () => (await session.lines()).at(-1), 'addition + 41  # of both');
  await session.press('End', 'Shift+Home', 'Shift+Home', 'Delete');
}

/** Silenced, nothing comes; the status bar says so. */
async function silenced(session) {
  await session.command('Quillon: Silence Suggestions for a While');
  await session.choose('15 minutes');
  await quiet(session, 'Suggestions are silenced for 15 minutes.');
  await session.picture('snoozed');
  await session.command('Quillon: Silence Suggestions for a While');
  await session.choose('again');
  await loud(session);
}

/** Off, altogether and for this language, and on again. */
async function off(session) {
  const setting = () => JSON.parse(session.read(SETTINGS))['quillon.inline.enabled'];
  await session.command('Quillon: Turn Suggestions On or Off');
  await quiet(session, 'Suggestions are turned off in the settings.');
  await session.equal('the folder has it off', async () => setting(), false);
  // The menu turns on what is off: all of them, and not this language.
  await session.command('Quillon: Show the Menu');
  await session.choose('Turn suggestions on');
  await loud(session);
  await session.equal('the folder has it on', async () => setting(), true);

  await session.command('Quillon: Turn Suggestions On or Off for This Language');
  await quiet(session, 'Suggestions are turned off for this language in the settings.');
  await session.command('Quillon: Turn Suggestions On or Off for This Language');
  await loud(session);
}

/** Type where ghost text would come: there is none, and the status bar tells why. */
async function quiet(session, reason) {
  await bells(session, 1);
  await session.shows('a.py');
  await session.press('Control+End', 'Shift+Home', 'Shift+Home', 'Delete');
  await session.type('def add(');
  await session.tells(reason);
  await session.equal('what was typed', async () => (await session.lines()).at(-1), 'def add()');
  await session.equal('no ghost text', () => session.ghost(), '');
}

/** Ghost text comes at the same place. */
async function loud(session) {
  await bells(session, 0);
  await session.shows('a.py');
  await session.command('Trigger Inline Suggestion');
  await session.equal('ghost text', () => session.ghost(), GHOST);
  await session.press('Escape');
}

async function bells(session, count) {
  const bell = session.page.locator('.statusbar-item .codicon-bell-slash');
  await session.equal('the bell in the status bar', () => bell.count(), count);
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
