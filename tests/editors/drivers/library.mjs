// Stored conversations: listed, searched, renamed, exported, deleted; a question asked anew.
export const files = { 'a.py': 'x = 1\n' };

export default async function library(session) {
  const { chat, page } = session;
  await session.openChat();
  await session.ready();
  await session.picture('welcome');
  await session.ask('First question');
  await session.answer(1);
  await session.ask('Second question');
  await (await session.answer(2)).getByText('Second answer.').waitFor();

  await anew(session);

  // Another conversation; the empty page offers the last one.
  await session.command('Quillon: New Conversation');
  await chat.locator('.recent .row-open', { hasText: 'First question' }).waitFor();
  await session.picture('recent');
  await session.ask('What is attached?');
  await session.answer(1);

  await session.command('Quillon: Show the Conversations');
  const rows = chat.locator('.history .row');
  await session.equal('two conversations', () => rows.count(), 2);
  const first = rows.filter({ hasText: 'First question' });
  await first.hover();
  await session.picture('conversations');

  await first.locator('[aria-label="Rename"]').click();
  await session.fillInput('An old story');
  const renamed = rows.filter({ hasText: 'An old story' });
  await renamed.waitFor();

  await chat.locator('input.search').fill('nothing has these words');
  await chat.getByText('No conversations found.').waitFor();
  await session.picture('none-found');
  await chat.locator('input.search').fill('better');
  await session.equal('one is found', () => rows.count(), 1);
  await chat.locator('input.search').fill('');
  // The list is drawn anew; a click on the old one is lost.
  await session.equal('all are back', () => rows.count(), 2);

  await renamed.hover();
  await renamed.locator('[aria-label="Export as Markdown"]').click();
  await session.until('the export is open', async () =>
    (await session.lines()).some((line) => line.includes('# An old story')),
  );
  await session.picture('exported');

  // With the keyboard alone: down into the list, and open.
  await chat.locator('input.search').focus();
  await chat.locator('input.search').press('Tab');
  await page.keyboard.press('Escape');
  await focused(session, chat.locator('textarea'));
  await session.command('Quillon: Show the Conversations');
  await focused(session, chat.locator('input.search'));
  for (let rest = 20; rest > 0 && !(await hasFocus(renamed.locator('.row-open'))); rest--) {
    await page.keyboard.press('Tab');
  }
  await focused(session, renamed.locator('.row-open'));
  await page.keyboard.press('Enter');
  await chat.getByText('Better answer.').waitFor();
  await focused(session, chat.locator('textarea'));
  await session.equal('the view names it', () => title(session), 'An old story');

  // The shown one is deleted: after a question, and for good.
  await session.command('Quillon: Delete the Conversation');
  const dialog = page.locator('.monaco-dialog-box', { hasText: 'An old story' });
  await dialog.waitFor();
  await session.picture('delete');
  await dialog.getByText('Delete', { exact: true }).click();
  await session.equal('the page is empty', () => chat.locator('article').count(), 0);
  await session.command('Quillon: Show the Conversations');
  await session.equal('one is left', () => rows.count(), 1);
}

/** The second question in other words takes the place of the second turn. */
async function anew(session) {
  const { chat } = session;
  const second = chat.locator('article.question').nth(1);
  await second.hover();
  await second.locator('[aria-label="Edit and ask again"]').click();
  const input = chat.locator('textarea');
  await session.equal('it is in the input', () => input.inputValue(), 'Second question');
  await chat.locator('.editing').waitFor();
  await session.picture('editing');
  // A hidden view has no page; the next one has it all.
  await input.fill('A half question');
  await session.kept('A half question');
  await session.command('View: Show Explorer');
  await session.page.locator('.explorer-folders-view').waitFor();
  await session.openChat();
  await session.equal('its text is there', () => input.inputValue(), 'A half question');
  await chat.locator('.editing').waitFor();
  await input.press('Escape');
  await session.equal('Escape leaves it', () => input.inputValue(), '');
  await second.locator('[aria-label="Edit and ask again"]').press('Enter');
  await input.fill('Better question');
  await input.press('Enter');
  await chat.getByText('Better answer.').waitFor();
  await session.answer(2);
  await session.equal('the second turn is another', () => chat.locator('article.question').allTextContents(), [
    'First question',
    'Better question',
  ]);
}

/** Whether keys go to an element: its frame, too, has the focus. */
function hasFocus(locator) {
  return locator.evaluate((element) => element.matches(':focus') && document.hasFocus());
}

function focused(session, locator) {
  return session.until('keys go to it', () => hasFocus(locator));
}

async function title(session) {
  const found = session.page.locator('.part.sidebar .title-label').first();
  return ((await found.textContent()) ?? '').split(': ').at(-1);
}
