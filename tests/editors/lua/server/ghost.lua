-- Ghost text on the scripted engine: shown, superseded, accepted whole and in parts, snoozed.
local t = require('testing')

vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'x = 1' })
local client = t.attached(bufnr)
for _, method in ipairs({
  'textDocument/inlineCompletion',
  'textDocument/codeAction',
  'codeAction/resolve',
}) do
  t.check('the server offers ' .. method, client:supports_method(method, bufnr))
end

local GHOST = 'a, b):\n    return a + b'
local function ghost_shown()
  t.wait('ghost text', function()
    return t.ghost() == GHOST
  end, t.ghost)
end

t.type('Godef add(', ghost_shown, function()
  t.equal('the buffer holds what was typed', t.text(), 'x = 1\ndef add(')
  t.check('it is accepted', require('quillon.inline').accept())
  t.wait('the accepted text', function()
    return t.text() == 'x = 1\ndef add(a, b):\n    return a + b'
  end, t.text)
end)
t.equal('the cursor is behind it', vim.api.nvim_win_get_cursor(0), { 3, 15 })

-- Typed on, the ghost of an older place is never left.
vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { '' })
t.type('Adef ad', function()
  vim.wait(100)
end)
t.type('Ad(', ghost_shown, function()
  t.check('a word is accepted', require('quillon.inline').accept_word())
  t.wait('the first word', function()
    return t.text() == 'def add(a'
  end, t.text)
end)

vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { 'def add)' })
t.type('0f)i(', function()
  t.wait('ghost text in front of a bracket', function()
    return t.ghost() ~= nil
  end)
  t.check('it is accepted', require('quillon.inline').accept())
  t.wait('the bracket is not doubled', function()
    return t.text() == 'def add(a, b):\n    return a + b'
  end, t.text)
end)

-- The key of the plugin is mapped, and is a plain tab where there is nothing to accept.
local mapped = vim.fn.maparg('<Tab>', 'i', false, true)
t.equal('<Tab> accepts', mapped.desc, 'Accept the suggestion')
vim.bo.expandtab = false
vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { '' })
vim.api.nvim_feedkeys(vim.keycode('i<Tab>'), 'tx', false)
t.equal('without ghost text it is a tab', t.text(), '\t')

vim.cmd('Quillon snooze 5')
t.check('suggestions are silent', not vim.lsp.inline_completion.is_enabled({ bufnr = bufnr }))
t.equal('the statusline says so', require('quillon.status').line(), 'Quillon: silent')
vim.cmd('Quillon snooze 0')
t.check('and speak again', vim.lsp.inline_completion.is_enabled({ bufnr = bufnr }))

t.done()
