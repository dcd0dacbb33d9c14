-- Code actions on the scripted engine: listed, resolved, applied, undone in one step; explain.
local t = require('testing')

vim.lsp.enable('quillon')
local SOURCE = { 'def add(a, b):', '    return a + b' }
local bufnr = t.open('a.py', SOURCE)
local client = t.attached(bufnr)
vim.api.nvim_win_set_cursor(0, { 1, 4 })

local params = vim.lsp.util.make_range_params(0, client.offset_encoding)
params.context = { diagnostics = {}, triggerKind = 1 }
local listed = client:request_sync('textDocument/codeAction', params, t.PATIENCE, bufnr)
local titles = vim.tbl_map(function(action)
  return action.title
end, listed.result)
t.check('a docstring is offered', vim.tbl_contains(titles, 'Write a docstring for add'), titles)
t.check('an explanation is offered', vim.tbl_contains(titles, 'Explain this'), titles)

local function run(title)
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      return action.title == title
    end,
  })
end

run('Write a docstring for add')
t.wait('the docstring', function()
  return t.text() == 'def add(a, b):\n    """Return the sum of two numbers."""\n    return a + b'
end, t.text)
vim.cmd.undo()
t.equal('one undo takes it back', t.text(), table.concat(SOURCE, '\n'))

run('Explain this')
t.wait('the chat explains', function()
  return vim.fn.bufnr('quillon://chat') ~= -1 and t.chat_text():find('**adds**', 1, true)
end)
t.done()
