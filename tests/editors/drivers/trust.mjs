// A folder that is not trusted sets no model, no program and no tool policy, and nothing in it runs;
// trust is granted later.
export const files = {
  'a.py': 'x = 1\n',
  '.vscode/settings.json': JSON.stringify({
    'quillon.interpreter': '/nowhere/python',
    'quillon.model.path': '/nowhere/model.gguf',
    'quillon.tools.approval': { run_tests: 'deny' },
  }),
};

export const user = {
  'security.workspace.trust.enabled': true,
  'security.workspace.trust.startupPrompt': 'never',
};

export default async function trust(session) {
  const { page } = session;
  // With the folder's interpreter nothing would start.
  await session.ready();
  await session.openChat();
  await session.ask('Run the tests again');
  // Nor does anything run in it: there is no such tool.
  await session.answer(1);
  const card = session.chat.locator('.card.tool.failed');
  await card.locator('summary').click();
  await card.getByText('there is no tool').first().waitFor();
  await session.picture('restricted');

  await session.command('Workspaces: Manage Workspace Trust');
  await page.locator('.workspace-trust-editor .monaco-button', { hasText: /^Trust$/ }).first().click();
  // Now the folder's settings count, and its interpreter is complained about.
  await session.until('the folder’s interpreter counts', async () =>
    (await session.status()).includes('/nowhere/python'),
  );
  await session.picture('trusted');
}
