// The rest of the house: the state that is there from the start, the report of a problem, the log,
// the walkthrough and the status menu.
export const files = { 'a.py': 'kept_to_myself = 1\n' };

export default async function house(session) {
  const { page } = session;
  await session.until('the state is known at once', async () => /ready/.test(await session.status()));

  await problemReport(session);

  const line = page.locator('.part.panel .view-line', { hasText: 'activated in' }).first();
  // Soon after the start the workbench may not know the channel yet, and shows nothing.
  await session.again('the log', async (timeout) => {
    await session.command('Quillon: Show the Log');
    await line.waitFor({ timeout });
  });
  await session.picture('log');
  await session.command('View: Toggle Panel');

  await session.command('Welcome: Open Walkthrough');
  await session.choose('Get started with Quillon');
  await page.locator('.gettingStartedContainer', { hasText: 'Suggestions while you type' }).waitFor();
  await session.picture('walkthrough');
  await page.locator('.step-title', { hasText: 'Ask about your code' }).first().click();
  await session.picture('walkthrough-chat');

  await session.command('Quillon: Show the Menu');
  await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Report a problem' }).waitFor();
  await session.picture('menu');
  await session.press('Escape');
}

/** What the extension and the server are and did, and nothing of the user's code. */
async function problemReport(session) {
  await session.focusEditor();
  await session.press('Control+End');
  await session.type('def add(');
  await session.until('the model has read the code', () => session.ghost());
  await session.command('Quillon: Report a Problem');
  await session.until('the report is open', async () =>
    (await session.lines()).some((line) => line.includes('# Quillon: problem report')),
  );
  await session.picture('report');
  const text = await session.text();
  for (const part of ['Quillon extension', 'Quillon server', 'engine: ready', 'activated in']) {
    if (!text.includes(part)) throw new Error(`the report has no ${part}: ${text}`);
  }
  for (const part of [process.env.HOME, 'kept_to_myself', 'def add']) {
    if (text.includes(part)) throw new Error(`the report has ${part}: ${text}`);
  }
}
