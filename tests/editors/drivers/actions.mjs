// A code action is listed, resolved by the model, applied, and undone in one step, also where the
// editor lists the actions anew meanwhile; "Explain" answers in the chat. What a checker reported of a
// file is known once that is open.
import fs from 'node:fs';
import path from 'node:path';

const SOURCE = 'def add(a, b):\n    return a + b\n';
const WRITTEN = ['def add(a, b):', '    """Return the sum of two numbers."""', '    return a + b', ''];

export const files = {
  'a.py': SOURCE,
  'slow.py': 'def slow(a):\n    return a\n',
  'stopped.py': 'def stopped(a):\n    return a\n',
  'broken.py': 'def broken(a):\n    return a\n',
  // Not where the cursor is at first: of what is there the editor tells when it asks for code actions.
  'wrong.py': 'x = 1\n\nnope\n',
};

export default async function actions(session) {
  const { page } = session;
  await session.ready();
  await reported(session);
  await session.press('Control+Home');

  // Nothing changes before the change is accepted.
  await session.action('Write a docstring for add', 'actions');
  const accept = page.locator('.codelens-decoration a', { hasText: 'Accept' }).first();
  await accept.waitFor();
  await session.picture('action-review');
  await session.command('Quillon: Accept All Changes');
  await session.shows('a.py');
  await session.equal('the docstring is written', () => session.lines(), WRITTEN);
  await session.picture('docstring');
  await undone(session);

  // The actions are listed anew while the model writes: what was chosen happens all the same.
  await session.openFile('slow.py');
  await session.press('Control+Home');
  await session.action('Write a docstring for slow');
  await session.press('Control+.');
  await page.locator('.action-widget .monaco-list-row').first().waitFor();
  await session.press('Escape');
  fs.writeFileSync(path.join(session.asked.gates, 'docstring'), '');
  await accept.waitFor();
  await session.command('Quillon: Discard All Changes');
  await session.shows('slow.py');

  // While the model writes, that is shown, and can be stopped.
  await session.openFile('stopped.py');
  await session.press('Control+Home');
  await session.action('Write a docstring for stopped');
  const progress = session.notification('Write a docstring for stopped');
  await progress.getByText('Cancel', { exact: true }).first().waitFor();
  await session.picture('progress');
  await progress.getByText('Cancel', { exact: true }).first().click();
  await progress.waitFor({ state: 'detached' });
  const left = page.locator('.notification-list-item', { hasText: 'stopped' });
  await session.equal('nothing is left', () => left.count(), 0);
  await session.equal('nothing changed', () => session.lines(), files['stopped.py'].split('\n'));

  // What cannot be written is said.
  await session.openFile('broken.py');
  await session.press('Control+Home');
  await session.action('Write a docstring for broken');
  await session.notification('Too many questions').waitFor();
  await session.picture('action-failed');
  await session.command('Notifications: Clear All Notifications');
  await session.openFile('a.py');

  // Without a review, as the settings may say.
  session.configure({ 'quillon.reviewActions': false });
  await session.press('Control+Home');
  await session.until('it is written at once', async () => {
    await session.action('Write a docstring for add');
    // The review, too, shows the docstring.
    const reviewed = async () => (await page.locator('.tab.active', { hasText: 'Review' }).count()) > 0;
    await session.until('something happens', async () =>
      (await reviewed()) ? (await accept.count()) > 0 : (await session.lines())[1] === WRITTEN[1],
    );
    if (!(await reviewed())) return true;
    // The setting had not arrived yet.
    await session.command('Quillon: Discard All Changes');
    await session.shows('a.py');
    return false;
  });
  await session.equal('the docstring is there', () => session.lines(), WRITTEN);
  await undone(session);

  await session.press('Control+Home');
  await session.action('Explain this');
  const answer = await session.answer(1);
  await answer.locator('strong', { hasText: 'adds' }).waitFor();
  await session.picture('explained');

  // The same from a selection, by its key.
  await session.focusEditor();
  await session.press('Control+a', 'Control+k', 'x');
  await session.until('a new conversation', async () =>
    (await session.chat.locator('article.question').allTextContents()).some((text) =>
      text.includes('Explain this code.'),
    ),
  );
  await session.answer(1);
  await opened(session);
}

/** A checker reports a problem of a file that is not open. */
async function reported(session) {
  const wrong = path.join(process.env.QUILLON_TEST_DATA, 'wrong-file');
  fs.writeFileSync(wrong, path.join(session.workspace, 'wrong.py'));
  await session.page.locator('.statusbar-item[id="status.problems"]', { hasText: '1' }).waitFor();
}

/** Opened later, its problem is known to the tools of the chat. */
async function opened(session) {
  await session.openFile('wrong.py');
  await session.newChat();
  await session.ask('Anything wrong?');
  await (await session.answer(1)).getByText('A name is not defined.').waitFor();
  fs.writeFileSync(path.join(process.env.QUILLON_TEST_DATA, 'wrong-file'), '');
}

async function undone(session) {
  await session.press('Control+z');
  await session.equal('one undo takes it back', () => session.lines(), SOURCE.split('\n'));
  await session.save();
  await session.equal('the file is as before', () => session.read('a.py'), SOURCE);
}
