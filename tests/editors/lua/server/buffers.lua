-- Buffers that are no saved file of a moderate size.
local t = require('testing')

local said = t.said()
vim.lsp.enable('quillon')

-- A file of 50 MB opens at once and is left alone, with a sentence.
local line = ('x'):rep(99) .. '\n'
local file = assert(io.open('large.py', 'w'))
for _ = 1, 50 do
  file:write(line:rep(10000))
end
file:close()
vim.cmd.edit('large.py')
t.wait('the sentence', function()
  return said.text():find('larger than the option largest_file', 1, true)
end, said.text)
t.equal('it is whole', vim.api.nvim_buf_line_count(0), 500000)
t.equal('no client', #vim.lsp.get_clients({ bufnr = 0 }), 0)
t.check('checkhealth says why', t.health():find('large.py is left alone', 1, true))
vim.cmd.bdelete('large.py')

-- A buffer without a name is left alone; once it is saved, it is not.
vim.cmd.enew()
vim.bo.filetype = 'python'
vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'def add(a, b):', '    return a + b' })
t.equal('no client yet', #vim.lsp.get_clients({ bufnr = 0 }), 0)
vim.cmd('Quillon chat What does add do?')
t.check('the chat says what to do', said.text():find('Open a file', 1, true), said.text())
vim.cmd.wincmd('p')
vim.cmd.write('saved.py')
t.attached(vim.fn.bufnr('saved.py'))

-- What is not saved is what the server sees.
vim.api.nvim_buf_set_lines(0, -1, -1, false, { '', 'def twice(a):', '    return 2 * a' })
vim.api.nvim_win_set_cursor(0, { 4, 4 })
local client = t.attached(0)
local params = vim.lsp.util.make_range_params(0, client.offset_encoding)
params.context = { diagnostics = {}, triggerKind = 1 }
local function offered()
  local listed = client:request_sync('textDocument/codeAction', params, t.PATIENCE, 0)
  return vim.iter(listed.result):any(function(action)
    return action.title == 'Write a docstring for twice'
  end)
end
t.wait('an action for it', offered)
t.equal('nothing was written', #vim.fn.readfile('saved.py'), 2)
t.done()
