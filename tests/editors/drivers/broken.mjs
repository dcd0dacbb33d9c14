// Servers that do not serve: each is a sentence in a message, in the status bar and in the chat.
import path from 'node:path';

export const files = { 'a.py': 'x = 1\n' };

export default async function broken(session) {
  const program = (name) => path.join(session.asked.programs, name);
  await session.openChat();
  const says = async (name, sentence, button) => {
    session.configure({ 'quillon.interpreter': program(name) });
    await session.until(`${name}: ${sentence}`, async () => (await session.status()).includes(sentence));
    await session.chat.locator('.banner').getByText(sentence).first().waitFor();
    await session.notification(sentence).getByText(button).first().waitFor();
    await session.picture(name);
    await session.command('Notifications: Clear All Notifications');
  };
  await says('no-quillon', 'has no quillon installed', 'Open settings');
  await says('missing', 'does not exist', 'Open settings');
  await says('too-old', '3.11 or newer is needed', 'Open settings');

  // Asking all the same keeps the question and says why nothing answers.
  await session.ask('Are you there?');
  const answer = await session.answer(1);
  await answer.locator('.problem').waitFor();
  await session.picture('asked');

  // It is started again, less and less often, and then no more.
  await says('dying', 'the disk ate it', 'Show log');

  // Another start would end the same way.
  await says('garbage', 'Hello, this is no language server.', 'Open settings');

  await noModel(session);
}

/** The server runs, and its model is not there. */
async function noModel(session) {
  session.configure({
    'quillon.interpreter': session.asked.python,
    'quillon.model.path': '/nowhere/model.gguf',
  });
  await session.until('the server runs', async () => /model not loaded|the engine failed/.test(await session.status()));
  await session.newChat();
  await session.ask('Are you there?');
  await (await session.answer(1)).locator('.problem', { hasText: '/nowhere/model.gguf' }).waitFor();
  await session.picture('no-model');
}
