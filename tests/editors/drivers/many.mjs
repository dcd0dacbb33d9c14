// Many windows at once on the embedded model, each with a folder and a server of its own, and all
// with one engine: ghost text in each, then a question in all at the same time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

import { accept, suggestion } from './ghosts.mjs';
import { isEngine, isServer, memory, processes } from './processes.mjs';

const SOURCE = 'def area(width, height):\n    return width * height\n';

export const files = { 'a.py': SOURCE };

export default async function many(session) {
  const count = Number(session.asked.count);
  const figures = { windows: count, loaded: [] };
  const timed = async (what) => {
    const began = Date.now();
    await what();
    return (Date.now() - began) / 1000;
  };
  const all = [session];
  while (all.length < count) {
    const folder = `${session.workspace} ${all.length + 1}`;
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'a.py'), SOURCE);
    figures.loaded.push(await timed(async () => {
      all.push(await session.another(folder, 'a.py'));
      await all.at(-1).ready();
    }));
  }
  assert.equal(processes(isServer).length, count, 'a server for each window');

  figures.suggested = [];
  for (const [index, one] of all.entries()) {
    await one.page.bringToFront();
    // A name of its own for each: nothing of one window may show in another.
    figures.suggested.push(await timed(() => suggestion(one, `def subtract_${index}(a, b):`, 'Enter')));
    await accept(one, 'a.py');
  }
  assert.equal(processes(isEngine).length, 1, 'one engine for all windows');

  for (const one of all) {
    await one.page.bringToFront();
    await one.openChat();
  }
  figures.answered = await timed(async () => {
    await Promise.all(all.map((one) => one.ask('Where is area defined?')));
    await Promise.all(all.map(async (one) => {
      const answer = await one.answer(1);
      await answer.locator('.card.tool.done').first().waitFor();
      await answer.locator('.markdown').first().waitFor();
    }));
  });
  assert.equal(processes(isEngine).length, 1, 'still one engine');
  figures.megabytes = megabytes();

  for (const [index, one] of all.entries()) {
    await one.page.bringToFront();
    const kept = one.read('a.py');
    assert.ok(kept.startsWith(`${SOURCE}\ndef subtract_${index}(a, b):\n`), kept);
    await one.picture(`window-${index + 1}`);
  }
  for (const one of all.slice(1)) await session.browser.end(one.page);
  await session.until('the servers of closed windows end', () => processes(isServer).length === 1);
  await session.page.bringToFront();
  await suggestion(session, 'def divide(a, b):', 'Enter');
  fs.writeFileSync(session.asked.figures, JSON.stringify(figures));
}

/** What the parts of ours take, in MB, what they share counted once. */
function megabytes() {
  const kinds = {
    engine: isEngine,
    servers: isServer,
    extensionHosts: (command) => command.includes('extensionHost'),
  };
  const sum = (matches) => processes(matches).reduce((bytes, pid) => bytes + memory(pid), 0);
  return Object.fromEntries(
    Object.entries(kinds).map(([kind, matches]) => [kind, Math.round(sum(matches) / 2 ** 20)]),
  );
}
