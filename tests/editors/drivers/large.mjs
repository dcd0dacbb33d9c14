// A file of 50 MB: the editor opens it, nothing hangs, and other files are served.
export const files = { 'a.py': 'x = 1\n' };

export default async function large(session) {
  const line = `value = "${'x'.repeat(91)}"\n`;
  session.write('large.py', line.repeat(500_000));
  await session.ready();
  await session.find('large.py');
  const anyway = session.page.getByText('Open Anyway');
  await anyway.waitFor();
  await session.again('it is opened all the same', async (timeout) => {
    if (await anyway.isVisible()) await anyway.click({ timeout });
    await session.page.locator('.editor-instance .view-line').first().waitFor({ timeout });
  });
  await session.focusEditor();
  await session.press('Control+Home');
  await session.type('# note');
  await session.press('Enter');
  await session.equal('typing works', async () => (await session.lines())[0], '# note');
  await session.picture('large');
  await session.openFile('a.py');
  await session.focusEditor();
  await session.press('Control+End');
  await session.type('def add(');
  await session.until('ghost text elsewhere', async () => (await session.ghost()).includes('return a + b'));
  await session.until('the server still runs', async () => /ready|working/.test(await session.status()));
}
