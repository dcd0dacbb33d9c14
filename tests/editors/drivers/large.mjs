// Large files: the editor opens them, nothing hangs, why nothing is suggested is told, and other files
// are served. One over 50 MB the editor does not even hand to extensions.
const LINE = `value = "${'x'.repeat(91)}"\n`;

export const files = { 'a.py': 'x = 1\n' };

export default async function large(session) {
  // At once: the search for files would not find one that is written while it runs.
  session.write('large.py', LINE.repeat(500_000));
  session.write('larger.py', LINE.repeat(520_000));
  await session.ready();
  await open(session, 'large.py');
  await session.tells('The document is too large for suggestions.');
  await session.picture('large');

  await open(session, 'larger.py');
  await session.until('it is told that extensions do not get it', async () =>
    (await session.status()).includes('larger than 50 MB'),
  );
  await session.tells('The editor hands no such file to extensions');
  await session.picture('larger');

  await session.openFile('a.py');
  await session.equal('of others nothing is told', () => session.status(), 'Quillon: ready');
  await session.focusEditor();
  await session.press('Control+End');
  await session.type('def add(');
  await session.until('ghost text elsewhere', async () => (await session.ghost()).includes('return a + b'));
  await session.until('the server still runs', async () => /ready|working/.test(await session.status()));
}

/** Open a large file all the same, and type into it. */
async function open(session, name) {
  await session.find(name);
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
}
