// The extension in Chinese: commands, the chat, the menu.
export const files = { 'a.py': 'x = 1\n' };

export default async function chinese(session) {
  const { page } = session;
  await session.command('Quillon: 打开聊天');
  await session.chat.locator('textarea[placeholder^="询问您的代码"]').waitFor();
  await session.chat.locator('.welcome h2', { hasText: '询问您的代码' }).waitFor();
  await session.until('the status bar speaks Chinese', async () => /就绪/.test(await session.status()));
  await session.ask('你好');
  await session.answer(1);
  await session.chat.getByText('回答来自 Quillon Tiny（非常小的模型').waitFor();
  await session.picture('chinese');
  await session.command('Quillon: 显示菜单');
  await page.locator('.quick-input-list .monaco-list-row', { hasText: '选择模型' }).waitFor();
  await session.picture('chinese-menu');
}
