// Reviews: a proposed edit and a code action, hunk by hunk, with the mouse and with the keyboard.
const SOURCE = 'def one():\n    return 1\n\n\ndef two():\n    return 2\n';

export const files = { 'b.py': SOURCE, 'a.py': 'def add(a, b):\n    return a + b\n' };

export default async function reviews(session) {
  await session.openChat();
  await session.ready();

  const card = await proposal(session, 'Count from zero', 1);
  await card.locator('.button', { hasText: 'Review' }).click();
  await session.shows('Review b.py');
  await session.until('both versions are shown', async () =>
    (await session.lines()).filter((line) => /return/.test(line)).length === 4,
  );
  await lens(session, 'Accept').nth(1).waitFor();
  await session.picture('review');
  await session.theme('Dark Modern');
  await session.picture('review-dark');
  await session.theme('Light Modern');
  await decide(session, 'Accept', 1);
  await session.picture('one-left');
  await decide(session, 'Discard', 0);
  await session.shows('b.py');
  await session.equal('the accepted one is in the file', () => session.lines(), [
    ...SOURCE.replace('return 1', 'return 0').split('\n'),
  ]);
  await card.getByText('Applied in part').waitFor();
  await session.press('Control+z');
  await session.equal('undone in one step', () => session.lines(), [...SOURCE.split('\n')]);
  await session.save();

  await keyboard(session);
  await twoFiles(session);
  await action(session);
  await reload(session);
}

/** Without the mouse: to the next change, discard it, accept the other. */
async function keyboard(session) {
  const card = await proposal(session, 'Once more from zero', 2);
  await card.locator('.button', { hasText: 'Review' }).press('Enter');
  await session.shows('Review b.py');
  await lens(session, 'Accept').nth(1).waitFor();
  await session.press('F7');
  await session.page.locator('.statusbar-item', { hasText: 'Ln 7,' }).waitFor();
  await session.press('Control+Backspace');
  await session.equal('one hunk is left', () => lens(session, 'Accept').count(), 1);
  // It is above the cursor: nobody decides about it who does not look at it.
  await session.press('F7');
  await session.page.locator('.statusbar-item', { hasText: 'Ln 2,' }).waitFor();
  await session.press('Control+Enter');
  await session.shows('b.py');
  await session.equal('the first is in the file', () => session.lines(), [
    ...SOURCE.replace('return 1', 'return 0').split('\n'),
  ]);
  await session.save();
}

/** The second file is edited while the first is reviewed; the tab is moved to another group, and back. */
async function twoFiles(session) {
  const { page } = session;
  const card = await proposal(session, 'Change both files', 3);
  await card.locator('.button', { hasText: 'Review' }).click();
  await session.shows('Review a.py');
  await session.command('View: Move Editor into Right Group');
  await session.equal('two groups', () => page.locator('.editor-group-container').count(), 2);
  await session.shows('Review a.py');
  await session.command('View: Join All Editor Groups');
  await session.equal('one group', () => page.locator('.editor-group-container').count(), 1);

  await session.openFile('b.py');
  await session.press('Control+Home', 'Enter', 'Enter');
  await session.cursorAt('Ln 3, Col 1');
  await page.locator('.tab', { hasText: 'Review a.py' }).click();
  await session.shows('Review a.py');
  await decide(session, 'Discard', 0);
  await session.shows('Review b.py');
  await decide(session, 'Accept', 0);
  await session.shows('b.py');
  await session.equal('the change is where it belongs', () => session.lines(), [
    ...`\n\n${SOURCE}`.replace('return 1', 'return 0').replace('return 2', 'return 3').split('\n'),
  ]);
  await card.getByText('Applied in part').waitFor();
  await session.save();
}

/** A review that its extension no longer knows is closed. */
async function reload(session) {
  await session.focusEditor();
  await session.press('Control+z');
  await session.press('Control+Home');
  await session.action('Write a docstring');
  await session.shows('Review a.py');
  await session.load();
  await session.ready();
  const tabs = () => session.page.locator('.tabs-container .tab', { hasText: 'Review' }).count();
  await session.equal('no review', tabs, 0);
}

/** A code action changes nothing before its change is accepted. */
async function action(session) {
  const { page } = session;
  await session.openFile('a.py');
  const choose = async () => {
    await session.press('Control+Home');
    await session.action('Write a docstring');
    await session.shows('Review a.py');
  };
  await choose();
  await decide(session, 'Discard', 0);
  await session.shows('a.py');
  await session.equal('nothing changed', () => session.lines(), ['def add(a, b):', '    return a + b', '']);

  await choose();
  await session.command('Quillon: Compare Side by Side');
  await page.locator('.diff-editor, .monaco-diff-editor').first().waitFor();
  await session.picture('side-by-side');
  // There the key decides nothing: the review would be over and its tab gone.
  await session.press('Control+Enter');
  await session.command('View: Close Editor');
  await session.shows('Review a.py');
  await session.press('Control+Shift+Enter');
  await session.shows('a.py');
  await session.equal('it is accepted', async () => (await session.lines())[1], '    """Return the sum of two numbers."""');
}

async function proposal(session, question, count) {
  await session.ask(question);
  const answer = session.chat.locator('article.answer').nth(count - 1);
  await answer.locator('.approval .button', { hasText: 'Allow once' }).click();
  return (await session.answer(count)).locator('.card.edit');
}

/** Press the first lens with a word, until so many hunks are left: a click may hit one that goes. */
async function decide(session, word, left) {
  const all = lens(session, 'Accept');
  await all.first().waitFor();
  await session.again(`${left} hunks are left`, async (timeout) => {
    if ((await all.count()) <= left) return;
    await lens(session, word).first().click({ timeout });
    await all.nth(left).waitFor({ state: 'detached', timeout });
  });
}

function lens(session, text) {
  return session.page.locator('.editor-instance .codelens-decoration a', { hasText: new RegExp(`${text}$`) });
}
