-- The server's program is not there.
local t = require('testing')

local said = t.said()
vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'x = 1' })
local sentence =
  'quillon-of-the-user is not an executable on the PATH. Run `pip install .` in a clone'
t.wait('a sentence', function()
  return said.text():find(sentence, 1, true)
end, said.text)
t.open('b.py', { 'y = 1' })
t.equal('it is said once', select(2, said.text():gsub('in a clone of Quillon', '')), 1)
t.equal('no client', #vim.lsp.get_clients({ bufnr = bufnr }), 0)
vim.cmd('Quillon chat Hello')
t.check('the chat says what to do', said.text():find(':checkhealth quillon says more', 1, true))
t.check(
  'checkhealth names it',
  t.health():find('is not an executable on the PATH', 1, true),
  t.health()
)
t.done()
