// A model that takes its time to load: status, chat and ghost text say what to wait for, a question
// can be stopped, another one waits, and all go on when the model is there.
import fs from 'node:fs';
import path from 'node:path';

export const files = { 'a.py': 'x = 1\n' };

export default async function loading(session) {
  const { chat } = session;
  await session.newChat();
  // Other settings start the server anew, and what is asked meanwhile is refused.
  await session.until('the status says it', async () => (await session.status()).includes('loading the model'));
  await session.ask('First question');
  await chat.getByText('The model is loading').first().waitFor();
  await session.picture('loading');
  await chat.locator('button[aria-label="Stop"]').click();
  await (await session.answer(1)).getByText('Stopped.').waitFor();

  // Typing goes on, without ghost text; the reason is where the state is.
  await session.focusEditor();
  await session.press('Control+End');
  await session.type('def add(');
  await session.equal('what was typed', () => session.lines(), ['x = 1', 'def add()']);
  await session.tells('The model is still loading.');
  await session.picture('no-suggestion');
  await session.equal('no ghost text', () => session.ghost(), '');

  await session.ask('Second question');
  fs.writeFileSync(path.join(session.asked.gates, 'load'), '');
  await (await session.answer(2)).getByText('Second answer.').waitFor();
  await session.ready();
  await session.equal('nothing to wait for', () => chat.getByText('The model is loading').count(), 0);
  await session.focusEditor();
  await session.press('Control+End', 'Enter', 'Shift+Home');
  await session.type('def add(');
  await session.until('ghost text', async () => (await session.ghost()).includes('return a + b'));
}
