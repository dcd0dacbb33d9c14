// Several windows at once, each with a server of its own on the same workspace.
const COUNT = 2;

export const files = { 'a.py': 'x = 1\n' };

export default async function windows(session) {
  const others = [];
  for (let number = 1; number < COUNT; number++) others.push(await session.another());
  const all = [session, ...others];
  for (const one of all) await one.ready();
  for (const one of all) await one.newChat();
  await Promise.all(all.map((one, index) => one.ask(`First question of window ${index}`)));
  for (const one of all) await (await one.answer(1)).getByText('First answer.').waitFor();
  await session.command('Quillon: Show the Conversations');
  const rows = session.chat.locator('.history .row', { hasText: 'First question of window' });
  await session.equal('each window’s conversation is kept', () => rows.count(), COUNT);
  await session.picture('windows');
  for (const one of others) await session.browser.end(one.page);
}
