// Runs one scenario in a headless browser: drive.mjs SCENARIO ADDRESS WORKSPACE PICTURES
import { Session } from './session.mjs';

const [name, address, workspace, pictures] = process.argv.slice(2);
const { default: scenario } = await import(`./${name}.mjs`);
const session = await Session.open(address, workspace, pictures);
try {
  await scenario(session);
  console.log('passed');
} catch (error) {
  await session.picture('failure').catch(() => {});
  console.log(`FAILED: ${error.stack}`);
  console.log(await session.describe().catch(String));
  process.exitCode = 1;
} finally {
  await session.close();
}
