-- Neovim 0.11 has neither inline completion nor `is_enabled`: everything else works.
local t = require('testing')

rawset(vim.lsp, 'inline_completion', false)
vim.lsp.is_enabled = nil
local said = t.said()
local inline = require('quillon.inline')
t.check('no suggestions', not inline.available())
inline.attach({ id = 1 }, 0)
t.equal('no keys are mapped', vim.fn.maparg('<M-Right>', 'i'), '')
vim.cmd('Quillon snooze 5')
vim.cmd('Quillon toggle')
local _, sentences = said.text():gsub('Suggestions need Neovim 0%.12%.', '')
t.equal('and that is said', sentences, 2)
t.check('and nothing else', not said.text():find('suggests:', 1, true), said.text())
t.check('checkhealth says so', t.health():find('they need Neovim 0.12', 1, true))
vim.cmd('Quillon chat')
t.check('the chat opens', vim.fn.bufwinid('quillon://chat') ~= -1)
t.done()
