// The chat: a streamed answer that used a tool, approval denied and granted, stop, hostile
// Markdown, all themes, and all of it after a move to the other side bar and a reload.
export const files = {
  'a.py': 'def add(a, b):\n    return a + b\n',
  'tests/test_add.py': 'from a import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n',
  'conftest.py': '',
};

/** How many there are at the end. */
const ANSWERS = 8;

const PASTED = ['def add(a, b):', '    return a + b', 'print(add(1, 2))', ''];

export default async function chat(session) {
  await session.newChat();
  await session.ready();
  await session.picture('welcome');
  await policy(session);

  await toolCall(session);
  await approvals(session);
  await stop(session);
  await edits(session);
  await hostile(session);
  await themes(session);
  await move(session);
  await reload(session);
}

/** Nothing but the page's own script, which the nonce names, and its own styles. */
async function policy(session) {
  const meta = session.chat.locator('meta[http-equiv="Content-Security-Policy"]');
  const [, source] = / style-src ([^;]+);/.exec(await meta.getAttribute('content')) ?? [];
  const [, nonce] = / script-src 'nonce-([\w+/=]{24})';/.exec(await meta.getAttribute('content')) ?? [];
  await session.equal('the policy', () => meta.getAttribute('content'), [
    ...["default-src 'none'", `style-src ${source}`, `script-src 'nonce-${nonce}'`],
    ...["base-uri 'none'", "form-action 'none'"],
  ].join('; '));
  for (const loose of [/unsafe/, /\*(?!\.)/, /\bdata:/, /\bhttp:/]) {
    await session.equal(`no ${loose}`, async () => loose.test(`${source} ${nonce}`), false);
  }
  await session.equal('scripts of the page', () =>
    session.chat.locator('script[src]').evaluateAll((all) => all.map((one) => one.nonce)), [nonce]);
}

/** Wait until a screen reader is told something. */
async function said(session, text) {
  await session.equal(`“${text}” is said`, async () =>
    (await session.chat.locator('.spoken').textContent()).trim(), text);
}

function hasFocus(locator) {
  return locator.evaluate((element) => element.matches(':focus') && document.hasFocus());
}

/** Keys go to the input: after what had the focus before it is gone, too. */
async function writes(session) {
  await session.until('keys go to the input', () => hasFocus(session.chat.locator('textarea')));
}

/** Back from the input to a button, and press it. */
async function pressButton(session, button) {
  await writes(session);
  for (let rest = 20; rest > 0 && !(await hasFocus(button)); rest--) await session.press('Shift+Tab');
  await session.until('keys go to the button', () => hasFocus(button));
  await session.press('Enter');
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
  const usage = /^[1-9]\d* tokens read \(7 cached\), [1-9]\d* written$/;
  await answer.locator('.usage', { hasText: usage }).waitFor();
  await said(session, 'The answer is complete.');
  await session.picture('answer');

  // Without a file there is no cursor; the sentence about it goes when it was read.
  await session.command('View: Close All Editors');
  await answer.locator('.code-bar [aria-label="Insert at the cursor"]').click();
  const banner = chat.locator('.banner', { hasText: 'Open a file first' });
  await banner.waitFor();
  await session.picture('problem');
  await banner.locator('[aria-label="Dismiss"]').click();
  await banner.waitFor({ state: 'hidden' });
  await writes(session);

  // The place in the answer opens the file; the code goes to its cursor.
  await answer.locator('a.place', { hasText: 'a.py:1' }).click();
  await session.shows('a.py');
  await session.cursorAt('Ln 1, Col 1');
  await copied(session, answer);
  await said(session, 'Copied');
  await session.press('Control+End');
  await session.cursorAt('Ln 3, Col 1');
  await answer.locator('.code-bar [aria-label="Insert at the cursor"]').click();
  await session.until('the code is inserted', async () =>
    (await session.lines()).includes('print(add(1, 2))'),
  );
  await session.focusEditor();
  await session.press('Control+z');
  // The tests that are run next read the file.
  await session.save();
  await session.equal('undone', () => session.read('a.py'), files['a.py']);

  // Or it is looked at first.
  await answer.locator('.code-bar [aria-label="Review as a diff before it is inserted"]').click();
  await session.shows('Review a.py');
  await session.command('Quillon: Discard All Changes');
  await session.shows('a.py');
  await chat.locator('textarea').focus();
}

/** The button says that it copied, and what is pasted is the code. */
async function copied(session, answer) {
  const button = answer.locator('.code-bar [aria-label="Copy"]');
  // Clicked from inside: the button says so for a moment only.
  const said = await button.evaluate(
    (copy) =>
      new Promise((done) => {
        const look = () => done(copy.getAttribute('aria-label'));
        new MutationObserver(look).observe(copy, { attributeFilter: ['aria-label'] });
        copy.click();
      }),
  );
  await session.equal('it says so', async () => said, 'Copied');
  await session.focusEditor();
  await session.press('Control+End');
  await session.again('the code is pasted', async (timeout) => {
    await session.press('Control+v');
    await session.equal('the code', () => session.lines(), PASTED, timeout);
  });
  await session.press('Control+z');
  await session.equal('undone', () => session.lines(), files['a.py'].split('\n'));
}

async function approvals(session) {
  await session.ask('Run the tests now');
  const first = session.chat.locator('article.answer').nth(1);
  await first.locator('.approval .run').waitFor();
  await said(session, 'Quillon asks for your approval. run_tests');
  await session.picture('approval');
  await first.locator('.approval .reason').fill('Not on this machine.');
  await first.locator('.approval .button', { hasText: 'Deny' }).click();
  await (await session.answer(2)).getByText('Then I do not know.').waitFor();
  await first.locator('.card.tool.denied, .card.tool.failed').waitFor();

  await session.ask('Run the tests again');
  const second = session.chat.locator('article.answer').nth(2);
  await said(session, 'Quillon asks for your approval. run_tests');
  await pressButton(session, second.locator('.approval .button', { hasText: 'Allow once' }));
  await (await session.answer(3)).getByText('The tests pass.').waitFor();
  // The button is gone.
  await writes(session);
  const card = second.locator('.card.tool.done');
  await card.locator('summary').click();
  await card.getByText('passed').first().waitFor();
  await session.picture('approved');

  // Allowed for the conversation, the same is not asked for again.
  await session.ask('Run them all');
  const third = session.chat.locator('article.answer').nth(3);
  await third.locator('.approval .button', { hasText: 'Allow in this conversation' }).click();
  await (await session.answer(4)).getByText('All pass.').waitFor();
  await session.ask('Run them all');
  const fourth = await session.answer(5);
  await fourth.getByText('All pass.').waitFor();
  await fourth.locator('.card.tool.done').waitFor();
}

async function stop(session) {
  const { chat } = session;
  await session.ask('Count to a hundred');
  await chat.locator('article.answer').nth(5).getByText('one two three').waitFor();
  await chat.locator('button[aria-label="Stop"]').click();
  await (await session.answer(6)).getByText('Stopped.').waitFor();
  await said(session, 'Stopped.');
  await chat.locator('button[aria-label="Send"]').waitFor();
  await session.picture('stopped');
}

/** A proposed edit is approved with its diff, and applied whole. */
async function edits(session) {
  await session.ask('Call it plus');
  const running = session.chat.locator('article.answer').nth(6);
  await running.locator('.approval .line.in', { hasText: '+def plus' }).waitFor();
  await session.picture('edit-approval');
  await session.theme('Dark Modern');
  await session.picture('edit-approval-dark');
  await session.theme('Light Modern');
  await running.locator('.approval .button', { hasText: 'Allow once' }).click();
  const card = (await session.answer(7)).locator('.card.edit');
  await session.picture('edit');
  await card.locator('.button', { hasText: 'Apply' }).click();
  await card.getByText('Applied').waitFor();
  await session.equal('the edit is applied', async () => (await session.lines())[0], 'def plus(a, b):');
  await session.focusEditor();
  await session.press('Control+z');
  await session.equal('and undone', async () => (await session.lines())[0], 'def add(a, b):');
}

async function hostile(session) {
  await session.ask('Be hostile');
  const answer = await session.answer(ANSWERS);
  await answer.getByText('onerror').first().waitFor();
  for (const selector of ['img', 'script', 'a[href^="javascript"]', 'a[href^="command"]']) {
    await session.equal(`no ${selector}`, () => answer.locator(selector).count(), 0);
  }
  const hacked = await session.chat.locator('body').getAttribute('data-hacked');
  await session.equal('nothing ran', async () => hacked, null);
  await session.picture('hostile');
}

async function themes(session) {
  for (const theme of ['Dark Modern', 'Dark High Contrast', 'Light High Contrast', 'Light Modern']) {
    await session.theme(theme);
    await session.picture(theme.toLowerCase().replaceAll(' ', '-'));
  }
}

/** In the other side bar the view is a new page, and has all the old one had. */
async function move(session) {
  await session.command('View: Move View');
  await session.choose('Chat');
  await session.choose('New Secondary Side Bar Entry');
  await session.page.locator('.part.auxiliarybar .pane, .part.auxiliarybar .webview').first().waitFor();
  await everything(session);
  await session.picture('moved');
  await session.command('View: Reset View Locations');
}

async function everything(session) {
  await session.equal('all answers', () => session.chat.locator('article.answer').count(), ANSWERS);
  await session.chat.getByText('The tests pass.').waitFor();
}

async function reload(session) {
  const input = session.chat.locator('textarea');
  await session.openChat();
  await input.fill('a question half written');
  await session.kept('a question half written');
  await session.load();
  await session.openChat();
  await everything(session);
  await session.equal('the draft too', () => input.inputValue(), 'a question half written');
  await session.picture('reloaded');
}
