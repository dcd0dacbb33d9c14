// A buffer that is no file, and a workspace folder that goes away under open files: what is typed
// stays, and can be saved.
import fs from 'node:fs';
import path from 'node:path';

const GHOST = 'a, b:\n    return a + b';

export const files = { 'a.py': 'x = 1\n' };

export default async function unsaved(session) {
  await session.ready();
  await untitled(session);
  await lostFolder(session);
}

async function untitled(session) {
  await session.command('File: New Untitled Text File');
  await session.shows('Untitled-1');
  await session.command('Change Language Mode');
  await session.fillInput('Python');
  await session.page.locator('.statusbar-item', { hasText: 'Python' }).waitFor();
  await session.focusEditor();
  await session.type('def add(');
  await session.equal('ghost text', () => session.ghost(), GHOST);
  await session.picture('untitled');
  await session.press('Tab');
  await session.equal('it is accepted', () => session.lines(), ['def add(a, b):', '    return a + b']);
  await session.command('View: Revert and Close Editor');
}

async function lostFolder(session) {
  await session.shows('a.py');
  fs.rmSync(session.workspace, { recursive: true });

  // A server that is started now has no folder to work in.
  await session.command('Quillon: Restart the Server');
  await session.ready();
  await session.newChat();
  await session.ask('What does add do?');
  await (await session.answer(1)).getByText('That is all.').waitFor();
  await session.picture('lost-folder');
  await session.equal('nothing is in its place', async () => fs.existsSync(session.workspace), false);

  await session.focusEditor();
  await session.press('Control+End');
  await session.type('y = 2');
  await session.equal('what is typed is there', () => session.lines(), ['x = 1', 'y = 2']);
  await session.save();
  await session.until('the file is there again', () => fs.existsSync(path.join(session.workspace, 'a.py')));
  await session.equal('and whole', () => session.read('a.py'), 'x = 1\ny = 2');
}
