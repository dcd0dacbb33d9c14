// What the report of a failed scenario says of the screen.

/** Milliseconds for one part of the report. */
const PATIENCE = 20_000;

/** Whatever does not answer is left out; the picture is kept where its path says. */
export async function report(session) {
  const { page } = session;
  const quickPick = page.locator('.quick-input-widget');
  const parts = {
    repeated: async () => session.repeated,
    picture: () => session.screenshot('failure'),
    tab: () => page.locator('.tab.active').allTextContents(),
    editor: () => session.lines(),
    status: () => session.status(),
    notifications: () => page.locator('.notification-list-item-message').allTextContents(),
    quickPick: async () =>
      (await quickPick.isVisible()) && {
        value: await quickPick.locator('input[type=text]').inputValue(),
        rows: await quickPick.locator('.monaco-list-row').allTextContents(),
      },
    focus: () => page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200)),
    chat: async () =>
      (await page.locator('iframe.webview.ready').count()) === 1 &&
      (await session.chat.locator('body').innerText()).slice(-1500),
  };
  const found = {};
  for (const [name, ask] of Object.entries(parts)) {
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, 'no answer').unref());
    found[name] = await Promise.race([ask().catch(String), late]);
  }
  return JSON.stringify(found, null, 1);
}
