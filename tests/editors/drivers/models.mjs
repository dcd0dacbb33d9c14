// A model is chosen: the recommended ones are offered, and one is downloaded from an address,
// stopped in the middle, gone on with, checked and taken into use.
import fs from 'node:fs';
import http from 'node:http';

import { settingsFile } from './session.mjs';

export const files = { 'a.py': 'x = 1\n' };

export default async function models(session) {
  const model = fs.readFileSync(session.asked.model);
  const hub = await serve(model);
  try {
    await downloads(session, hub);
  } finally {
    hub.server.close();
    hub.server.closeAllConnections();
  }
}

async function downloads(session, hub) {
  const { page } = session;
  await session.ready();
  await session.command('Quillon: Choose a Model');
  await row(page, 'Qwen2.5-Coder 7B').waitFor();
  await session.picture('picker');
  await session.press('Escape');

  const address = `http://127.0.0.1:${hub.server.address().port}/small.gguf`;
  await fromAddress(session, address);
  const progress = session.notification('Downloading');
  await progress.waitFor();
  await session.until('half of it came', () => hub.stalled);
  await session.picture('downloading');
  await progress.getByText('Cancel', { exact: true }).click();
  await session.notification('The download was stopped').waitFor();
  await session.command('Notifications: Clear All Notifications');

  hub.whole = true;
  await fromAddress(session, address);
  await session.notification('is in use now').waitFor();
  await session.picture('in-use');
  if (hub.resumed === 0) throw new Error('the download began anew');
  const settings = settingsFile('Machine');
  await session.until('it is in the settings', async () =>
    fs.readFileSync(settings, 'utf8').includes('small.gguf'),
  );

  // Nothing there: the server's sentence, and another try.
  await session.command('Notifications: Clear All Notifications');
  await session.ready();
  await fromAddress(session, address.replace('small', 'none'));
  await page.locator('.notification-list-item', { hasText: '404' }).getByText('Try again').waitFor();
  await session.picture('not-there');
}

async function fromAddress(session, address) {
  await session.command('Quillon: Choose a Model');
  await session.choose('Download from an address');
  await session.page.locator('.quick-input-widget', { hasText: 'owner/repository:file' }).waitFor();
  await session.fillInput(address);
}

function row(page, text) {
  return page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
}

/** A server of one file, which gives half of it until `whole` is set. */
async function serve(model) {
  const hub = { whole: false, stalled: false, resumed: 0 };
  hub.server = http.createServer((request, response) => {
    if (!request.url.includes('small.gguf')) {
      response.writeHead(404).end();
      return;
    }
    const first = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (first > 0) hub.resumed = first;
    response.writeHead(first > 0 ? 206 : 200, {
      'accept-ranges': 'bytes',
      'content-length': model.length - first,
      etag: '"one"',
      ...(first > 0 && { 'content-range': `bytes ${first}-${model.length - 1}/${model.length}` }),
    });
    if (request.method === 'HEAD') response.end();
    else if (hub.whole) response.end(model.subarray(first));
    else {
      response.write(model.subarray(first, model.length / 2), () => (hub.stalled = true));
    }
  });
  await new Promise((resolve) => hub.server.listen(0, '127.0.0.1', resolve));
  return hub;
}
