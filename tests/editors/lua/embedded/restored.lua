-- Another Neovim, whose language is Chinese, opens a conversation with the embedded model and goes on.
local t = require('testing')

t.equal('the language', vim.v.lang, 'zh_CN.UTF-8')
vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'def area(rows, columns):', '    return rows * columns' })
t.attached(bufnr)
local chat, status = require('quillon.chat'), require('quillon.status')

---@param question string
local function ask(question)
  vim.cmd('Quillon chat ' .. question)
  t.wait('the answer to ' .. question, function()
    return not chat.is_running() and t.chat_text():find('读取 %d+ 个 token')
  end, t.chat_text)
end

t.choose('Where is area defined?')
vim.cmd('Quillon conversations')
t.wait('the stored conversation', function()
  return vim.fn.bufnr('quillon://chat') ~= -1 and t.chat_text():find('## Quillon', 1, true)
end)
t.check('a heading', t.chat_text():find('## 您\n\nWhere is area defined?', 1, true), t.chat_text())
t.check('its tool', t.chat_text():find('▸ search_symbols.-· 完成'), t.chat_text())
t.check('with the result', t.chat_text():find('│ .*a%.py:1'), t.chat_text())
ask('Where is test_area defined?')
t.equal('the turn is added', select(2, t.chat_text():gsub('## 您', '')), 2)
t.wait('the state', function()
  return status.line() == 'Quillon：就绪'
end, status.line)

vim.cmd('Quillon new')
local asked = t.choose('拒绝')
ask('Run the tests.')
t.check('an approval', asked[1] and asked[1].prompt:find('是否运行？', 1, true), t.chat_text())
t.equal('its choices', asked[1].items, { '允许一次', '在此对话中允许', '拒绝' })
t.check('a card', t.chat_text():find('▸ run_tests.-· 已拒绝'), t.chat_text())
t.done()
