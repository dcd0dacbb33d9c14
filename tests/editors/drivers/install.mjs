// No Quillon anywhere: an offer to install it into an environment of its own, and then it runs.
export const files = { 'a.py': 'x = 1\n' };

export default async function install(session) {
  const offer = session.notification('is not installed');
  await offer.getByText('Open settings').waitFor();
  await session.picture('offer');
  await offer.getByText('Install', { exact: true }).click();
  await session.notification('Installing Quillon').waitFor();
  await session.picture('installing');
  await session.ready();
  await session.picture('installed');
}
