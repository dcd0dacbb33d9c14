-- The program is no language server.
local t = require('testing')

local said = t.said()
vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'x = 1' })
local report = t.health()
t.check(
  'checkhealth says what it is',
  report:find('is not Quillon: it says Hello', 1, true),
  report
)
vim.cmd('Quillon chat Hello')
t.check(
  'the chat says what to do',
  said.text():find(':checkhealth quillon says more', 1, true),
  said.text()
)
t.equal('the text is as it was', vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), { 'x = 1' })
t.done()
