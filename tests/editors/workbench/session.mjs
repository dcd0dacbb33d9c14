// The workbench in a browser, as a user has it: keys, menus and what is on the screen.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const { chromium } = createRequire(`${process.env.QUILLON_TEST_TOOLS}/`)('playwright-core');

/** Milliseconds until a wait fails: generous, for a busy machine. */
export const PATIENCE = Number(process.env.QUILLON_TEST_PATIENCE ?? 120_000);

const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

export class Session {
  #pictures = 0;

  constructor(browser, page, address, workspace, folder) {
    Object.assign(this, { browser, page, address, workspace, folder });
  }

  static async open(address, workspace, folder) {
    const browser = await chromium.launch({
      executablePath: process.env.QUILLON_TEST_CHROMIUM,
      headless: true,
      args: FLAGS,
      timeout: PATIENCE,
    });
    const page = await Session.#window(browser);
    if (process.env.QUILLON_TEST_VERBOSE) {
      page.on('console', (message) => console.log(`[page] ${message.text().slice(0, 300)}`));
    }
    const session = new Session(browser, page, address, workspace, folder);
    await session.load();
    return session;
  }

  /** Write the machine's settings, which the workbench takes over at once. */
  configure(machine) {
    const file = path.join(process.env.QUILLON_TEST_DATA, 'Machine', 'settings.json');
    const before = JSON.parse(fs.readFileSync(file, 'utf8'));
    fs.writeFileSync(file, JSON.stringify({ ...before, ...machine }));
  }

  /** A notification with a text. */
  notification(text) {
    return this.page.locator('.notification-list-item', { hasText: text }).first();
  }

  async load() {
    const url = `${this.address}/?folder=${encodeURIComponent(this.workspace)}`;
    await this.page.goto(url, { waitUntil: 'commit' });
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor();
  }

  /** A window with a profile of its own: those of one profile share few connections. */
  static async #window(browser) {
    const locale = process.env.QUILLON_TEST_LOCALE ?? 'en-US';
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale });
    // Nothing but the workbench is ever asked for.
    await context.route(
      (url) => url.hostname !== '127.0.0.1' && !url.hostname.endsWith('localhost'),
      (route) => route.abort(),
    );
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    return page;
  }

  /** Another window on the same workspace. */
  async another() {
    const page = await Session.#window(this.browser);
    const session = new Session(this.browser, page, this.address, this.workspace, this.folder);
    await session.load();
    return session;
  }

  /** Type into the input box that is open, and accept it. */
  async fillInput(text) {
    const input = this.page.locator('.quick-input-widget input[type=text]');
    await input.waitFor();
    await input.fill(text);
    await input.press('Enter');
  }

  async close() {
    await this.browser.close();
  }

  /** Wait until `find` gives something true, and return it. */
  async until(what, find, patience = PATIENCE) {
    const end = Date.now() + patience;
    for (;;) {
      const found = await find();
      if (found) return found;
      if (Date.now() > end) throw new Error(`waited for: ${what}`);
      await this.page.waitForTimeout(100);
    }
  }

  /** Wait until two values are equal. */
  async equal(what, find, wanted) {
    let found;
    const end = Date.now() + PATIENCE;
    do {
      found = await find();
      try {
        assert.deepEqual(found, wanted);
        return;
      } catch {
        await this.page.waitForTimeout(100);
      }
    } while (Date.now() < end);
    assert.deepEqual(found, wanted, what);
  }

  async picture(name) {
    const file = `${String(++this.#pictures).padStart(2, '0')}-${name}.png`;
    await this.page.screenshot({ path: path.join(this.folder, file) });
  }

  /** What a failure report says of the screen. */
  async describe() {
    const notes = await this.page.locator('.notification-list-item-message').allTextContents();
    return JSON.stringify({ editor: await this.lines(), notifications: notes });
  }

  write(name, text) {
    fs.writeFileSync(path.join(this.workspace, name), text);
  }

  read(name) {
    return fs.readFileSync(path.join(this.workspace, name), 'utf8');
  }

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async type(text, delay = 30) {
    await this.page.keyboard.type(text, { delay });
  }

  /** Choose in the quick pick; a workbench that still starts closes it, so it is opened again. */
  async #pick(prefix, text) {
    const input = this.page.locator('.quick-input-widget input[type=text]');
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
    await this.until(`${text} in the quick pick`, async () => {
      try {
        await this.press('F1');
        await input.waitFor({ timeout: 10_000 });
        await input.fill(prefix + text);
        await row.click({ timeout: 10_000 });
        return true;
      } catch {
        await this.press('Escape');
        return false;
      }
    });
  }

  /** Run a command by its title. */
  async command(title) {
    await this.#pick('>', title);
  }

  /** Choose a row of the quick pick that is open. */
  async choose(text) {
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first().click();
  }

  async theme(name) {
    await this.command('Preferences: Color Theme');
    await this.page.locator('.quick-input-widget input[type=text]').fill(name);
    await this.choose(name);
    const kind = /High Contrast/.test(name) ? 'hc-' : 'vs';
    const dark = /Dark/.test(name);
    const wanted = kind === 'vs' ? (dark ? 'vs-dark' : 'vs') : dark ? 'hc-black' : 'hc-light';
    await this.page.locator(`.monaco-workbench.${wanted}`).waitFor();
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Choose a file by its name. */
  async find(name) {
    await this.#pick('', name);
  }

  async openFile(name) {
    await this.find(path.basename(name));
    await this.page.locator('.tab.active', { hasText: path.basename(name) }).waitFor();
    await this.page.locator('.editor-instance .view-line').first().waitFor();
  }

  /** Put the cursor into the editor. */
  async focusEditor() {
    await this.page.locator('.editor-instance .view-lines').first().click();
  }

  /**
   * The lines of the editor that are on the screen. The DOM has them in no order, with
   * non-breaking spaces, and with the ghost text's first line inside.
   */
  lines() {
    return this.page.evaluate(() =>
      [...document.querySelectorAll('.editor-instance .view-lines > .view-line')]
        .map((line) => {
          const copy = line.cloneNode(true);
          copy
            .querySelectorAll('.ghost-text-decoration, .ghost-text-decoration-preview, .ghost-text')
            .forEach((ghost) => ghost.remove());
          return [Number.parseFloat(line.style.top), copy.textContent.replaceAll('\u00a0', ' ')];
        })
        .sort((a, b) => a[0] - b[0])
        .map(([, text]) => text),
    );
  }

  /** The ghost text on the screen: its first line is in the line, the others are below it. */
  ghost() {
    return this.page.evaluate(() => {
      const all = (selector) =>
        [...document.querySelectorAll(`.editor-instance ${selector}`)].map((e) => e.textContent);
      const first = all('.ghost-text-decoration').join('');
      return [first, ...all('.suggest-preview-text > .view-line')]
        .join('\n')
        .replaceAll('\u00a0', ' ');
    });
  }

  async save() {
    await this.press('Control+s');
    await this.until(
      'the file is saved',
      async () => (await this.page.locator('.tab.active.dirty').count()) === 0,
    );
  }

  /** The status bar item's spoken label. */
  async status() {
    const item = this.page.locator('[id="quillon.quillon.quillon"] a, #quillon\\.quillon a').first();
    return (await item.count()) === 0 ? '' : ((await item.getAttribute('aria-label')) ?? '');
  }

  /** The chat page, two frames deep. */
  get chat() {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('#active-frame');
  }

  async openChat() {
    await this.command('Quillon: Open the Chat');
    await this.chat.locator('textarea').waitFor();
  }

  /** Wait until the workbench has stored something that a reload is to bring back. */
  async kept(text) {
    await this.until(`${text} is stored`, () =>
      this.page.evaluate(async (wanted) => {
        const done = (request) =>
          new Promise((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          });
        for (const { name } of await indexedDB.databases()) {
          const database = await done(indexedDB.open(name));
          try {
            for (const store of database.objectStoreNames) {
              const values = database.transaction(store).objectStore(store).getAll();
              if (JSON.stringify(await done(values)).includes(wanted)) return true;
            }
          } finally {
            database.close();
          }
        }
        return false;
      }, text),
    );
  }

  /** Ask in the chat. */
  async ask(text) {
    const input = this.chat.locator('textarea');
    await input.fill(text);
    await input.press('Enter');
  }

  /** Wait for the end of the last answer, and return it. */
  async answer(count) {
    const last = this.chat.locator('article.answer').nth(count - 1);
    await last.locator('.outcome:not(.working)').waitFor();
    return last;
  }
}
