-- A Neovim whose language is Chinese: its own words and the server's are.
local t = require('testing')

t.equal('the language', vim.v.lang, 'zh_CN.UTF-8')
local said = t.said()
vim.cmd('Quillon toggle')
t.check('without a server', said.text():find('Quillon 服务器没有运行', 1, true), said.text())

vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'def add(a, b):', '    return a + b' })
local client = t.attached(bufnr)
local status = require('quillon.status')
t.wait('the state', function()
  return status.line() == 'Quillon：就绪'
end, status.line)
t.equal('a key', vim.fn.maparg('<Tab>', 'i', false, true).desc, '接受建议')

local params = vim.lsp.util.make_range_params(0, client.offset_encoding)
params.context = { diagnostics = {}, triggerKind = 1 }
local listed = client:request_sync('textDocument/codeAction', params, t.PATIENCE, bufnr)
local titles = table.concat(vim.tbl_map(function(action)
  return action.title
end, listed.result))
t.check('an action of the server', titles:find('解释', 1, true), titles)

local asked = t.choose('拒绝')
vim.cmd('Quillon chat Call it plus')
t.wait('the answer', function()
  return t.chat_text():find('It is called plus now.', 1, true)
    and not require('quillon.chat').is_running()
end, t.chat_text)
t.check('it asked', asked[1], t.chat_text())
t.check('an approval', asked[1].prompt:find('是否进行此更改？', 1, true), asked)
t.equal('its choices', asked[1].items, { '允许一次', '在此对话中允许', '拒绝' })
t.check('a heading', t.chat_text():find('## 您', 1, true), t.chat_text())
t.check('a card', t.chat_text():find('· 已拒绝', 1, true), t.chat_text())
t.check('the usage', t.chat_text():find('读取 %d+ 个 token'), t.chat_text())
t.check('checkhealth', t.health():find('服务器', 1, true))

vim.cmd.language('messages', 'C')
t.equal('another language', status.line(), 'Quillon: ready')
t.done()
