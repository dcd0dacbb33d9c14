// An interpreter without Quillon: a sentence in a message, in the status bar and in the chat.
export default async function broken(session) {
  const { page } = session;
  const message = page.locator('.notification-toast', { hasText: 'has no quillon installed' });
  await message.waitFor();
  await message.getByText('Open settings').waitFor();
  await session.until('the status bar says so', async () =>
    (await session.status()).includes('cannot run. quillon.interpreter'),
  );
  await session.openChat();
  const banner = session.chat.locator('.banner');
  await banner.getByText('has no quillon installed').waitFor();
  await session.picture('broken');
  await banner.getByText('Show log').waitFor();

  // Asking all the same keeps the question and says why nothing answers.
  await session.ask('Are you there?');
  const answer = await session.answer(1);
  await answer.locator('.problem').waitFor();
  await session.picture('broken-asked');
}
