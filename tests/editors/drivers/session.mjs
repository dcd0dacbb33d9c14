// The workbench in a browser, as a user has it: keys, menus and what is on the screen.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

/** Milliseconds until a wait fails: nothing takes longer for it, and a busy machine needs it. */
export const PATIENCE = Number(process.env.QUILLON_TEST_PATIENCE ?? 600_000);

/** Milliseconds of a first try, where what is clicked may be renewed; each next try has twice as many. */
const FIRST_TRY = 10_000;

/** Of the two themes that follow the system's look, how that is; of each other one its name in the settings. */
const THEMES = {
  'Dark Modern': { look: 'vs-dark', system: 'dark' },
  'Light Modern': { look: 'vs', system: 'light' },
  'Dark High Contrast': { look: 'hc-black', setting: 'Default High Contrast' },
  'Light High Contrast': { look: 'hc-light', setting: 'Default High Contrast Light' },
};

/** The file of a scope's settings: `User` or `Machine`. */
export function settingsFile(scope) {
  return path.join(process.env.QUILLON_TEST_DATA, scope, 'settings.json');
}

/** Write a file of settings. Never half of it: the workbench reads it as soon as it changes. */
export function replace(file, values) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.new`, JSON.stringify(values));
  fs.renameSync(`${file}.new`, file);
}

export class Session {
  #pictures = 0;
  #theme = 'Light Modern';
  /** What needed another try, for the report of a failure. */
  repeated = [];

  /** `asked` names the workspace, the folder of pictures and what else the scenario was given. */
  constructor(browser, page, asked) {
    Object.assign(this, { browser, page, asked, workspace: asked.workspace });
  }

  /** Write the machine's settings, which the workbench takes over at once. */
  configure(machine) {
    const file = settingsFile('Machine');
    const before = JSON.parse(fs.readFileSync(file, 'utf8'));
    replace(file, { ...before, ...machine });
  }

  /** A notification with a text. */
  notification(text) {
    return this.page.locator('.notification-list-item', { hasText: text }).first();
  }

  /** Load the workspace, with a file in the editor. */
  async load(file) {
    const host = new URL(this.browser.address).host;
    const opened = file && `vscode-remote://${host}${encodeURI(path.join(this.workspace, file))}`;
    const query = new URLSearchParams({
      folder: this.workspace,
      ...(opened && { payload: JSON.stringify([['openFile', opened]]) }),
    });
    await this.page.goto(`${this.browser.address}/?${query}`, { waitUntil: 'commit' });
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor();
    if (file) await this.shows(file);
    // A command of an extension that takes long to start is no command to the workbench.
    await this.until('the extension runs', async () => (await this.status()) !== '');
  }

  /** Close what an earlier scenario left open; nothing of it is saved. */
  async tidy() {
    const tabs = this.page.locator('.tabs-container .tab');
    for (let open = await tabs.count(); open > 0; open = await tabs.count()) {
      await this.command('View: Revert and Close Editor');
      await this.until('it is closed', async () => (await tabs.count()) < open);
    }
    if (await this.page.locator('.notification-toast, .notification-list-item').count()) {
      await this.command('Notifications: Clear All Notifications');
    }
  }

  /** Another window, on the same workspace where no other is named. */
  async another(workspace = this.workspace, file = undefined) {
    const asked = { ...this.asked, workspace };
    const session = new Session(this.browser, await this.browser.page(), asked);
    await session.load(file);
    return session;
  }

  /** Type into the input box that is open, and accept it. */
  async fillInput(text) {
    const input = this.page.locator('.quick-input-widget input[type=text]');
    await input.fill(text);
    await input.press('Enter');
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
  async equal(what, find, wanted, patience = PATIENCE) {
    let found;
    const end = Date.now() + patience;
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

  /**
   * Do something with a part of the workbench that may be renewed or closed meanwhile, and again if
   * that failed. `act` is given the milliseconds that it may wait.
   */
  async again(what, act) {
    const end = Date.now() + PATIENCE;
    for (let patience = FIRST_TRY; ; patience *= 2) {
      try {
        return await act(Math.min(patience, PATIENCE));
      } catch (error) {
        const reason = String(error.message).split('\n')[0];
        this.repeated.push(`${what}: ${reason}`);
        if (Date.now() > end) throw new Error(`${what}: ${reason}`, { cause: error });
        await this.press('Escape');
      }
    }
  }

  /** Keep what is on the screen, in both themes where the scenario has set none. */
  async picture(name) {
    const file = await this.screenshot(name);
    if (this.#theme !== 'Light Modern') return file;
    await this.#look('Dark Modern');
    await this.page.screenshot({ path: file.replace(/\.png$/, '-dark.png') });
    await this.#look('Light Modern');
    return file;
  }

  /** Keep what is on the screen as it is. */
  async screenshot(name) {
    const file = path.join(
      this.asked.pictures,
      `${String(++this.#pictures).padStart(2, '0')}-${name}.png`,
    );
    await this.page.screenshot({ path: file });
    return file;
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

  /** Choose in the quick pick. It closes when something else takes the focus. */
  async #pick(prefix, text) {
    const widget = this.page.locator('.quick-input-widget');
    const input = widget.locator('input[type=text]');
    const row = widget.locator('.monaco-list-row', { hasText: text }).first();
    const typed = prefix + text;
    await this.again(`${text} in the quick pick`, async (timeout) => {
      await this.press('F1');
      await input.fill(typed, { timeout });
      const is = async () => (await input.isVisible()) && (await input.inputValue()) === typed;
      await this.until('its row', async () => !(await is()) || (await row.isVisible()), timeout);
      if (!(await is())) throw new Error('it was closed');
      await row.click({ timeout });
      await this.until('it takes the choice', async () => !(await is()), timeout);
    });
  }

  /** Run a command by its title. */
  async command(title) {
    await this.#pick('>', title);
  }

  /** Choose a row of the quick pick that is open. */
  async choose(text) {
    const widget = this.page.locator('.quick-input-widget');
    const row = widget.locator('.monaco-list-row', { hasText: text }).first();
    await row.waitFor();
    const look = async () =>
      (await widget.isVisible()) &&
      widget.locator('input[type=text]').evaluate((input) => [input.placeholder, input.value].join());
    const before = await look();
    await this.until(`${text} is chosen`, async () => {
      if ((await look()) !== before) return true;
      await row.click({ timeout: FIRST_TRY }).catch(() => {});
      return this.until('it takes the choice', async () => (await look()) !== before, FIRST_TRY).then(
        () => true,
        () => false,
      );
    });
  }

  /** Set the colour theme, and wait until the workbench has it. */
  async theme(name) {
    this.#theme = name;
    const { setting } = THEMES[name];
    this.configure({
      'window.autoDetectColorScheme': setting === undefined,
      ...(setting && { 'workbench.colorTheme': setting }),
    });
    await this.#look(name);
  }

  /** The system's look, which the workbench follows at once: to write settings takes much longer. */
  async #look(name) {
    const { look, system } = THEMES[name];
    if (system) await this.page.emulateMedia({ colorScheme: system });
    await this.page.locator(`.monaco-workbench.${look}`).waitFor();
  }

  /** Choose a file by its name. */
  async find(name) {
    await this.#pick('', name);
  }

  /** Wait until a file is in the editor, and keys go to it. */
  async shows(name) {
    await this.page.locator(`.tab.active[data-resource-name="${path.basename(name)}"]`).waitFor();
    await this.page.locator('.editor-instance .view-line').first().waitFor();
    await this.until(`keys go to ${name}`, () => this.#editorHasFocus());
  }

  #editorHasFocus() {
    return this.page.evaluate(() => document.activeElement?.closest('.editor-instance') !== null);
  }

  /** Wait until the status bar names the place of the cursor, such as `Ln 1, Col 1`. */
  async cursorAt(place) {
    await this.page.locator('.statusbar-item', { hasText: place }).waitFor();
  }

  /** Choose in the menu of code actions, which the editor may have to be asked for again. */
  async action(title, picture) {
    const menu = this.page.locator('.action-widget').first();
    const row = menu.locator('.monaco-list-row', { hasText: title }).first();
    await this.again(`the action ${title}`, async (timeout) => {
      await this.press('Control+.');
      await row.waitFor({ timeout });
      if (picture) await this.picture(picture);
      await row.click({ timeout });
      await menu.waitFor({ state: 'hidden', timeout });
    });
  }

  async openFile(name) {
    await this.find(path.basename(name));
    await this.shows(name);
  }

  /** Put the cursor into the editor. */
  async focusEditor() {
    const lines = this.page.locator('.editor-instance .view-lines').first();
    await this.again('the editor', async (timeout) => {
      await lines.click({ timeout });
      await this.until('keys go to it', () => this.#editorHasFocus(), timeout);
    });
  }

  /**
   * The lines of the editor that are on the screen. The DOM has them in no order, with
   * non-breaking spaces, and with the ghost text's first line inside.
   */
  lines() {
    return this.#text('.ghost-text-decoration, .ghost-text-decoration-preview, .ghost-text');
  }

  /** The same with the ghost text in its line, and without what it hides. */
  shown() {
    return this.#text('.ghost-text-hidden');
  }

  #text(leftOut) {
    return this.page.evaluate(
      (selector) =>
        [...document.querySelectorAll('.editor-instance .view-lines > .view-line')]
          .map((line) => {
            const copy = line.cloneNode(true);
            copy.querySelectorAll(selector).forEach((part) => part.remove());
            return [Number.parseFloat(line.style.top), copy.textContent.replaceAll('\u00a0', ' ')];
          })
          .sort((a, b) => a[0] - b[0])
          .map(([, text]) => text),
      leftOut,
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

  /** Wait until the status bar item tells something where the mouse is on it. */
  async tells(text) {
    const item = this.page.locator('[id="quillon.quillon.quillon"]').first();
    const told = this.page.locator('.monaco-hover', { hasText: text }).first();
    await this.again(`the status bar tells: ${text}`, async (timeout) => {
      await this.page.mouse.move(10, 10);
      await item.hover({ timeout });
      await told.waitFor({ timeout });
    });
  }

  /** The whole text of the editor, more than is on the screen. */
  async text() {
    await this.focusEditor();
    await this.press('Control+a', 'Control+c');
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  async ready() {
    await this.until('Quillon is ready', async () => /ready/.test(await this.status()));
  }

  /** The chat page, two frames deep. */
  get chat() {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('#active-frame');
  }

  async openChat() {
    await this.command('Quillon: Open the Chat');
    await this.chat.locator('textarea').waitFor();
  }

  /** An empty conversation, whatever the chat showed before. */
  async newChat() {
    await this.command('Quillon: New Conversation');
    await this.chat.locator('textarea').waitFor();
    await this.equal('it is empty', () => this.chat.locator('article').count(), 0);
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
    await this.equal('the question is sent', () => input.inputValue(), '');
  }

  /** Wait for the end of the last answer, and return it. */
  async answer(count) {
    const last = this.chat.locator('article.answer').nth(count - 1);
    // Where there is nothing to say of how it ended, it is there and empty.
    await last.locator('.outcome:not(.working)').waitFor({ state: 'attached' });
    return last;
  }
}
