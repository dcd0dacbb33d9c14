// No Quillon anywhere: an offer to install it into an environment of its own. Without a Python, and
// with one that makes no environments, it says so and can be tried again. A Python that the settings
// name and that has no Quillon makes the environment, and is in its way no more; then it runs.
import fs from 'node:fs';
import path from 'node:path';

import { settingsFile } from './session.mjs';

export const files = { 'a.py': 'x = 1\n' };

export default async function install(session) {
  const python = path.join(session.asked.bin, 'python3');
  const aside = `${python}.aside`;
  const offer = session.notification('is not installed');
  await offer.getByText('Open settings').waitFor();
  await session.picture('offer');
  fs.renameSync(python, aside);
  try {
    await offer.getByText('Install', { exact: true }).click();
    const none = session.notification('No Python 3.11 or newer was found');
    await none.getByText('Try again').waitFor();
    await session.picture('no-python');

    fs.symlinkSync(path.join(session.asked.programs, 'no-environments'), python);
    const failed = session.notification('The installation failed');
    await none.getByText('Try again').click();
    // The workbench may hide a notification that has just come, and lose the click on it.
    const came = await failed.waitFor({ timeout: 30_000 }).then(() => true, () => false);
    if (!came) await session.command('Quillon: Install the Server');
    await failed.getByText('Show log').waitFor();
    await session.picture('install-failed');
    const line = session.page.locator('.part.panel .view-line', { hasText: 'ensurepip is not' }).first();
    // Soon after the start the workbench may not know the channel yet, and shows nothing.
    await session.again('the log', async (timeout) => {
      await session.command('Quillon: Show the Log');
      await line.waitFor({ timeout });
    });
    await session.command('View: Toggle Panel');
    fs.rmSync(python);
    await named(session, fs.realpathSync(aside));
  } finally {
    fs.rmSync(python, { force: true });
    fs.renameSync(aside, python);
  }
}

/** Install with a Python that only the settings name. */
async function named(session, python) {
  session.configure({ 'quillon.interpreter': python });
  const offer = session.notification(`${python} has no quillon installed`);
  await offer.getByText('Install', { exact: true }).waitFor();
  await session.picture('named');
  await session.command('Quillon: Install the Server');
  await session.notification('Installing Quillon').waitFor();
  await session.picture('installing');
  await session.ready();
  await session.notification('which named').waitFor();
  await session.picture('installed');
  const settings = JSON.parse(fs.readFileSync(settingsFile('Machine'), 'utf8'));
  await session.equal('it is named no more', async () => settings['quillon.interpreter'], undefined);
}
