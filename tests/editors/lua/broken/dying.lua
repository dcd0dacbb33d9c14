-- The server dies at its start: it is started again, more slowly, and then given up with a sentence.
local t = require('testing')

local said = t.said()
vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'x = 1' })
t.wait('it is given up', function()
  return said.text():find("Quillon's server keeps stopping (exit status 1)", 1, true)
end, said.text)
t.equal('the text is as it was', vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), { 'x = 1' })
local report = t.health()
t.check(
  'checkhealth says how it ended',
  report:find('the server stopped: exit status 1', 1, true),
  report
)
t.check('and why', report:find('failed: ImportError: the disk ate it', 1, true), report)
t.done()
