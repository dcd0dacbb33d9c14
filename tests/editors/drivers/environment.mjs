// Where the server is found: the environment selected in the Python extension, else `quillon` on the
// PATH, else the private environment that the extension has made.
import fs from 'node:fs';
import path from 'node:path';

export const files = { 'a.py': 'x = 1\n' };

export default async function environment(session) {
  const { programs, python } = session.asked;
  await startedFrom(session, 'private');

  const script = path.join(session.asked.bin, 'quillon');
  // As of an environment that is gone.
  fs.writeFileSync(script, '#!/nowhere/python\n', { mode: 0o755 });
  await session.command('Quillon: Restart the Server');
  await session.notification(`The system cannot start ${script}`).getByText('Open settings').waitFor();
  await session.picture('cannot-start');
  fs.writeFileSync(script, `#!/bin/sh\nexec "${python}" -I -m quillon "$@"\n`, { mode: 0o755 });
  try {
    await session.command('Quillon: Restart the Server');
    await startedFrom(session, 'path');

    select(python);
    await startedFrom(session, 'environment');

    // One that has no Quillon is passed over, and that is in the log.
    select(path.join(programs, 'no-quillon'));
    await startedFrom(session, 'path');
    await session.until('the log says why', () => log().includes('no-quillon has no quillon installed'));
  } finally {
    fs.rmSync(script);
    select('');
  }
}

/** Select an interpreter, as a user does in the Python extension. */
function select(python) {
  fs.writeFileSync(path.join(process.env.QUILLON_TEST_DATA, 'selected-python'), python);
}

async function startedFrom(session, origin) {
  await session.until(`the server was started from: ${origin}`, async () => {
    await session.ready();
    return (await report(session)).includes(`started from: ${origin}`);
  });
}

/** What the extension's logs hold. */
function log() {
  const logs = path.join(process.env.QUILLON_TEST_DATA, 'logs');
  const found = fs.readdirSync(logs, { recursive: true }).filter((name) => name.endsWith('Quillon.log'));
  return found.map((name) => fs.readFileSync(path.join(logs, name), 'utf8')).join('');
}

/** The text of the problem report, which is closed again. */
async function report(session) {
  await session.command('Quillon: Report a Problem');
  await session.until('the report is open', async () =>
    (await session.lines()).some((line) => line.includes('## State')),
  );
  const text = (await session.lines()).join('\n');
  await session.command('View: Revert and Close Editor');
  return text;
}
