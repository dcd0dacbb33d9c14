-- A code action is previewed: nothing changes before it is applied, and only what was shown is.
local t = require('testing')

vim.lsp.enable('quillon')
local SOURCE = { 'def add(a, b):', '    return a + b' }
local bufnr = t.open('a.py', SOURCE)
t.attached(bufnr)
local said = t.said()
local asked = t.choose('Write a docstring for add')

local function preview()
  vim.api.nvim_win_set_cursor(0, { 1, 4 })
  vim.cmd('1,2Quillon preview')
  t.wait('the preview', function()
    return vim.api.nvim_win_get_config(0).relative ~= ''
  end)
end

local function code()
  return table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), '\n')
end

preview()
t.check('what explains is not offered', not vim.tbl_contains(asked[1].items, 'Explain this'), asked)
t.equal('the diff', vim.api.nvim_buf_get_lines(0, 2, -1, false), {
  '@@ -1,2 +1,3 @@',
  ' def add(a, b):',
  '+    """Return the sum of two numbers."""',
  '     return a + b',
})
t.equal('nothing has changed', code(), table.concat(SOURCE, '\n'))
vim.api.nvim_feedkeys('gx', 'x', false)
t.equal('it is discarded', { vim.api.nvim_get_current_buf(), code() }, {
  bufnr,
  table.concat(SOURCE, '\n'),
})

preview()
vim.api.nvim_buf_set_lines(bufnr, -1, -1, false, { '', 'x = 1' })
vim.api.nvim_feedkeys('ga', 'x', false)
t.check('another text is refused', said.text():find('a.py has changed', 1, true), said.text())
t.equal('and left as it is', code(), table.concat(SOURCE, '\n') .. '\n\nx = 1')
vim.cmd.undo()

preview()
vim.api.nvim_feedkeys('ga', 'x', false)
t.equal(
  'it is applied',
  code(),
  'def add(a, b):\n    """Return the sum of two numbers."""\n    return a + b'
)
vim.cmd.undo()
t.equal('one undo takes it back', code(), table.concat(SOURCE, '\n'))

vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, { '' })
vim.cmd('Quillon preview')
t.wait('nothing to change is said', function()
  return said.text():find('nothing to change here', 1, true)
end, said.text)
t.done()
