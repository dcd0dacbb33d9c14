// Runs scenarios in one headless browser: drive.mjs ADDRESS. A line of standard input asks for one,
//   {"scenario": "chat", "workspace": "/…", "pictures": "/…", "settings": {"User": {}, "Machine": {}}, …}
// and a line of standard output answers it: {"failure": null}, or what failed and what was on the screen.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

import { Browser } from './browser.mjs';
import { report } from './report.mjs';
import { PATIENCE, replace, settingsFile } from './session.mjs';

const browser = await Browser.open(process.argv[2], {
  program: process.env.QUILLON_TEST_CHROMIUM,
  profile: process.env.QUILLON_TEST_PROFILE,
  patience: PATIENCE,
});
const lines = readline.createInterface({ input: process.stdin });
// Also in the middle of a scenario: whoever asked for it is gone.
lines.on('close', () => browser.close().finally(() => process.exit()));
for await (const line of lines) {
  const failure = await play(JSON.parse(line));
  process.stdout.write(`${JSON.stringify({ failure })}\n`);
}

async function play(asked) {
  // `files` are there before the workbench opens, and `user` settings count from its start on; the
  // first of the files is in the editor.
  const { default: scenario, files = {}, user = {} } = await import(`./${asked.scenario}.mjs`);
  const { session, empty } = await browser.window(asked);
  try {
    if (!empty) await session.tidy();
    fill(asked.workspace, files);
    configure({ ...asked.settings, User: { ...asked.settings.User, ...user } });
    const [first] = Object.keys(files);
    // The workbench reads its language for every page.
    replace(path.join(path.dirname(settingsFile('User')), 'argv.json'), { locale: asked.language ?? 'en' });
    if (empty) await session.load(first);
    else if (first) await session.openFile(first);
    await scenario(session);
  } catch (error) {
    const seen = await report(session);
    await browser.end(session.page);
    return `${error.stack}\n${seen}`;
  }
  browser.leave(session);
  return null;
}

function fill(workspace, files) {
  fs.mkdirSync(workspace, { recursive: true });
  for (const name of fs.readdirSync(workspace)) {
    fs.rmSync(path.join(workspace, name), { recursive: true });
  }
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(workspace, file)), { recursive: true });
    fs.writeFileSync(path.join(workspace, file), text);
  }
}

function configure(settings) {
  for (const [scope, values] of Object.entries(settings)) replace(settingsFile(scope), values);
}
