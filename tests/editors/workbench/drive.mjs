// Runs one scenario in a headless browser: drive.mjs SCENARIO ADDRESS WORKSPACE PICTURES
import fs from 'node:fs';
import path from 'node:path';

import { report } from './report.mjs';
import { Session } from './session.mjs';

const [name, address, workspace, pictures] = process.argv.slice(2);
// `files` are there before the workbench opens; the first of them is in the editor.
const { default: scenario, files = {} } = await import(`./${name}.mjs`);
for (const [file, text] of Object.entries(files)) {
  fs.mkdirSync(path.dirname(path.join(workspace, file)), { recursive: true });
  fs.writeFileSync(path.join(workspace, file), text);
}
const session = await Session.open(address, workspace, pictures);
try {
  await session.load(Object.keys(files)[0]);
  await scenario(session);
  console.log('passed');
} catch (error) {
  console.log(`FAILED: ${error.stack}`);
  console.log(await report(session));
  process.exitCode = 1;
} finally {
  await session.close();
}
