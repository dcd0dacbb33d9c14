// One browser for all scenarios: what was compiled of the workbench stays, what a scenario left does not.
import { createRequire } from 'node:module';

import { Session } from './session.mjs';

const { chromium } = createRequire(`${process.env.QUILLON_TEST_TOOLS}/`)('playwright-core');

const FLAGS = [
  // Nothing but the workbench is ever asked for. A route of the driver's would cost the cache.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost',
  ...['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  // A page lives for seconds: collecting its young memory often is wasted.
  '--js-flags=--min-semi-space-size=64 --max-semi-space-size=128',
];

const LOOK = { viewport: { width: 1280, height: 800 }, locale: 'en-US' };

/** Run in every page: what turns while one waits would be painted without end. */
function still() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('*, ::before, ::after { animation: none !important; }');
  document.adoptedStyleSheets.push(sheet);
}

export class Browser {
  #context;
  /** The page that the last scenario left, and its workspace. */
  #left = null;

  constructor(address, context) {
    this.address = address;
    this.#context = context;
  }

  /** A browser for the workbench at an address. */
  static async open(address, { program, profile, patience }) {
    const context = await chromium.launchPersistentContext(profile, {
      ...{ executablePath: program, headless: true, args: FLAGS, timeout: patience },
      ...LOOK,
    });
    context.setDefaultTimeout(patience);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: address });
    await context.addInitScript(still);
    return new Browser(address, context);
  }

  /**
   * The window of a scenario, and whether there is nothing in it yet: a scenario that passed leaves
   * its window to the next one of the same workspace.
   */
  async window(asked) {
    const left = this.#left;
    this.#left = null;
    if (left?.workspace === asked.workspace) {
      return { session: new Session(this, left.page, asked), empty: false };
    }
    const page = left?.page ?? (await this.page());
    await this.#clear(page);
    return { session: new Session(this, page, asked), empty: true };
  }

  /** Take back the window of a scenario that passed. */
  leave(session) {
    this.#left = { page: session.page, workspace: session.workspace };
  }

  /** Make it a page of the workbench's origin that has no workbench, nor what workbenches stored. */
  async #clear(page) {
    await this.#unload(page);
    const protocol = await this.#context.newCDPSession(page);
    await protocol.send('Storage.clearDataForOrigin', {
      origin: this.address,
      storageTypes: 'indexeddb,local_storage',
    });
    await protocol.detach();
    await page.evaluate(() => sessionStorage.clear());
  }

  /** A workbench whose page goes ends its extension host. */
  async #unload(page) {
    await page.goto(`${this.address}/healthz`);
  }

  /** Another page of this browser. */
  async page() {
    const page = await this.#context.newPage();
    // A workbench with something unsaved asks whether it may go.
    page.on('dialog', (dialog) => void dialog.accept().catch(() => {}));
    if (process.env.QUILLON_TEST_VERBOSE) {
      page.on('console', (message) => console.error(`[page] ${message.text().slice(0, 300)}`));
    }
    return page;
  }

  /** Close a page. */
  async end(page) {
    await this.#unload(page).catch(() => {});
    await page.close();
  }

  close() {
    return this.#context.close();
  }
}
