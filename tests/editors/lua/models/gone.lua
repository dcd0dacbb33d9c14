-- The file of the model is not there: typing goes on, and everything says what to do.
local t = require('testing')

vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'x = 1' })
t.attached(bufnr)
local status = require('quillon.status')
t.type('Godef add(', function()
  t.wait('the state', function()
    return status.line() == 'Quillon: the engine failed'
  end, status.line)
end)
t.equal('what was typed is there', t.text(), 'x = 1\ndef add(')
t.equal('no ghost text', t.ghost(), nil)

local said = t.said()
vim.cmd('Quillon status')
t.wait('the reason', function()
  return said.text():find('gone.gguf', 1, true)
end, said.text)

vim.cmd('Quillon chat What does add do?')
t.wait('the end of the turn', function()
  return not require('quillon.chat').is_running()
end, t.chat_text)
t.check('the chat names it', t.chat_text():find('> .*gone%.gguf'), t.chat_text())
local report = t.health()
t.check('checkhealth says what to do', report:find('quillon doctor', 1, true), report)
t.done()
