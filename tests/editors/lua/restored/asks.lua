-- A conversation that another Neovim is to open.
local t = require('testing')

vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'def add(a, b):', '    return a + b' })
t.attached(bufnr)
vim.cmd('Quillon chat What does add do?')
t.wait('the answer', function()
  return t.chat_text():find('That is all.', 1, true) and not require('quillon.chat').is_running()
end, t.chat_text)
t.done()
