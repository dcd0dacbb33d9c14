-- The program is no language server.
local t = require('testing')

vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'x = 1' })
local report = t.health()
t.check(
  'checkhealth says what it is',
  report:find('is not Quillon: it says Hello', 1, true),
  report
)
require('quillon.client').patience = 500
vim.cmd('Quillon chat Hello')
t.wait('the chat says what to do', function()
  return t.chat_text():find(':checkhealth quillon says more', 1, true)
end, t.chat_text)
t.check('nothing runs any more', not require('quillon.chat').is_running())
t.equal('the text is as it was', vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), { 'x = 1' })
t.done()
