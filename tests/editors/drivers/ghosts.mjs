// Ghost text of a model that may suggest anything: whatever is shown is what is accepted.
import assert from 'node:assert/strict';

/** Milliseconds until a key is pressed again that had no effect. */
const SHORT = 20_000;

/** Type at the end of the file and wait for whatever the model suggests there. */
export async function suggestion(session, ...keys) {
  await session.focusEditor();
  await session.press('Control+End', 'Enter', 'Shift+Home');
  for (const key of keys) {
    if (key === 'Enter') await session.press(key);
    else await session.type(key, 0);
  }
  await session.until(`a suggestion behind ${keys[0]}`, async () => {
    if ((await session.ghost()).trim() !== '') return true;
    // The engine may still be loading, and a small model may be unsure: ask again.
    await session.press('Escape');
    await session.command('Trigger Inline Suggestion');
    await session.page.waitForTimeout(2_000);
    return (await session.ghost()).trim() !== '';
  });
}

/** Accept what is shown, and find exactly that in the editor and in the file. */
export async function accept(session, file) {
  const before = await session.lines();
  const shown = await session.shown();
  const [, ...below] = (await session.ghost()).split('\n');
  const place = shown.findIndex((line, index) => line !== before[index]);
  const row = place === -1 ? before.length - 1 : place;
  const after = before.toSpliced(row, 1, shown[row], ...below);
  assert.notDeepEqual(after, before);
  await session.shows(file);
  const changed = async () => JSON.stringify(await session.lines()) !== JSON.stringify(before);
  // A key may be lost while the editor gets the focus back from a command.
  await session.until('it is accepted', async () => {
    await session.press('Tab');
    return session.until('the text changes', changed, SHORT).catch(() => false);
  });
  await session.equal('what was shown is there', () => session.lines(), after);
  await session.save();
  await session.equal('the file', () => session.read(file), after.join('\n'));
}
