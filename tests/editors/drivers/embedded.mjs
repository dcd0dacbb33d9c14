// Everything once on the embedded model: suggestions, a code action, explanations, a chat that uses
// tools; then its engine and the server are killed, and the editor goes on. What the model says is
// its own; what the editor does with it is checked.
import { accept, suggestion } from './ghosts.mjs';
import { inside, isEngine, isServer, kill, processes } from './processes.mjs';

const SOURCE = 'def area(rows, columns):\n    return rows * columns\n';

export const files = {
  'a.py': SOURCE,
  'tests/test_area.py': 'from a import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n',
  'conftest.py': '',
};

export default async function embedded(session) {
  await session.ready();
  await ghostText(session);
  await codeAction(session);
  await chat(session);
  await approvals(session);
  await killed(session);
  await stopped(session);
  await reloaded(session);
}

async function ghostText(session) {
  await suggestion(session, 'def subtract(a, b):', 'Enter');
  await session.picture('ghost');
  await accept(session, 'a.py');
  // Brackets close themselves, and what was typed fast counts as a whole.
  await suggestion(session, 'print(area(');
  await session.picture('ghost-in-brackets');
  await accept(session, 'a.py');
}

async function codeAction(session) {
  session.write('b.py', SOURCE);
  await session.openFile('b.py');
  await session.press('Control+Home');
  await session.action('Write a docstring for area');
  await session.page.locator('.codelens-decoration a', { hasText: 'Accept' }).first().waitFor();
  await session.picture('action-review');
  await session.command('Quillon: Accept All Changes');
  await session.shows('b.py');
  await session.until('the docstring is there', async () => (await session.lines())[1]?.includes('"""'));
  await session.press('Control+z');
  await session.equal('one undo takes it back', () => session.lines(), SOURCE.split('\n'));
  await session.save();
  await session.equal('the file is as before', () => session.read('b.py'), SOURCE);

  await session.press('Control+Home');
  await session.action('Explain this');
  await (await session.answer(1)).locator('.markdown').first().waitFor();
  await session.picture('explained');
}

async function chat(session) {
  await session.newChat();
  await session.ask('Where is area defined?');
  const answer = await session.answer(1);
  const card = answer.locator('.card.tool.done');
  await card.locator('summary').first().click();
  await card.getByText('a.py:1').first().waitFor();
  await answer.locator('.markdown').first().waitFor();
  await session.picture('answer');
}

async function approvals(session) {
  for (const [button, state] of [['Deny', 'denied'], ['Allow once', 'done']]) {
    await session.newChat();
    await session.ask('Run the tests.');
    await session.chat.locator('.approval .run').first().waitFor();
    await session.picture(`asked-${state}`);
    await session.chat.locator('.approval .button', { hasText: button }).first().click();
    const answer = await session.answer(1);
    await answer.locator(`.card.tool.${state}`, { hasText: 'run_tests' }).first().waitFor();
  }
  await session.picture('approved');
}

async function killed(session) {
  await session.openFile('a.py');
  kill('an engine', isEngine);
  await suggestion(session, 'def multiply(a, b):', 'Enter');
  await session.press('Escape');

  const mine = inside(session.workspace);
  const before = kill('the server', isServer, mine);
  await session.until('another server runs', () => processes(isServer, mine).some((pid) => pid !== before));
  await session.ready();
  await suggestion(session, 'def half(number):', 'Enter');
  await session.press('Escape');
  await session.newChat();
  await session.ask('Where is area defined?');
  await session.answer(1);
  await session.picture('recovered');
}

/** The same model with other end tokens says more than anybody wants to hear. */
async function stopped(session) {
  session.configure({ 'quillon.model.path': session.asked.endless });
  const isOther = (command) => isEngine(command) && command.includes(session.asked.endless);
  await session.until('the other model is loaded', () => processes(isOther).length > 0);
  await session.ready();
  await session.again('an answer is stopped', async (timeout) => {
    await session.newChat();
    await session.ask('Hello there');
    await session.chat.locator('.answer .markdown').first().waitFor();
    // On a busy machine it may be through its whole context by now.
    await session.chat.locator('button[aria-label="Stop"]').click({ timeout });
    await (await session.answer(1)).getByText('Stopped.').waitFor({ timeout });
  });
  await session.picture('stopped');
}

async function reloaded(session) {
  const said = () => session.chat.locator('article.answer .markdown').first().textContent();
  const before = (await said()).trim();
  await session.load();
  await session.openChat();
  await session.chat.locator('article.question', { hasText: 'Hello there' }).waitFor();
  await session.equal('what was said is there', async () => (await said()).trim(), before);
  await session.picture('reloaded');
}
