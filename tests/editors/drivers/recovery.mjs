// The embedded model in the editor: a suggestion, an answer; then its engine and the server are
// killed, and the editor goes on.
import fs from 'node:fs';

export const files = { 'a.py': 'def add(a, b):\n    return a + b\n\n\n' };

export default async function recovery(session) {
  await session.ready();
  await suggestion(session, 'def subtract(a, b):');
  await session.picture('embedded');

  await session.newChat();
  await session.ask('Where is add defined?');
  const answer = await session.answer(1);
  await answer.locator('.markdown, .card').first().waitFor();
  await session.picture('embedded-answer');

  kill('an engine', (command) => command.includes('quillon.engine') || command.includes(' engine '), () => true);
  await suggestion(session, 'def multiply(a, b):');

  const before = kill('the server', (command) => / quillon lsp/.test(command), inside(session));
  await session.until('another server runs', () =>
    processes((command) => / quillon lsp/.test(command), inside(session)).some((pid) => pid !== before),
  );
  await session.ready();
  await suggestion(session, 'def divide(a, b):');
  await session.ask('Where is add defined?');
  await session.answer(2);
  await session.picture('recovered');
}

/** Type the head of a function and wait for whatever the model suggests for its body. */
async function suggestion(session, head) {
  await session.focusEditor();
  await session.press('Control+End', 'Enter', 'Shift+Home');
  await session.type(head);
  await session.press('Enter');
  await session.until(`a suggestion behind ${head}`, async () => {
    if ((await session.ghost()).trim() !== '') return true;
    // The engine may still be loading, and a small model may be unsure: ask again.
    await session.press('Escape');
    await session.command('Trigger Inline Suggestion');
    await session.page.waitForTimeout(2_000);
    return (await session.ghost()).trim() !== '';
  });
  await session.press('Escape');
}

const inside = (session) => (pid) => {
  try {
    return fs.realpathSync(`/proc/${pid}/cwd`) === fs.realpathSync(session.workspace);
  } catch {
    return false;
  }
};

/** Processes of this test: they carry its runtime folder in their environment. */
function processes(matches, more) {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const environment = fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        const own = `QUILLON_RUNTIME_DIR=${process.env.QUILLON_RUNTIME_DIR}`;
        return environment.includes(own) && matches(command) && more(pid);
      } catch {
        return false;
      }
    });
}

function kill(what, matches, more) {
  const [pid] = processes(matches, more);
  if (pid === undefined) throw new Error(`${what} does not run`);
  process.kill(pid, 'SIGKILL');
  return pid;
}
