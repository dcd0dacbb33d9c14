-- What an edit would change, as a diff: of what is not saved, and of a file that it would create.
local t = require('testing')

local preview = require('quillon.preview')
local bufnr = t.open('a.py', { 'x = 1', 'y = "é"', 'z = 3' })
vim.api.nvim_buf_set_lines(bufnr, 0, 1, false, { 'x = 2' })
local function at(row, first, last, text)
  local range = { start = { line = row, character = first }, ['end'] = { line = row } }
  range['end'].character = last
  return { range = range, newText = text, annotationId = 'a' }
end
local new = vim.uri_from_fname(vim.fn.getcwd() .. '/test_a.py')
local edit = {
  changeAnnotations = { a = { label = 'Change', needsConfirmation = true } },
  documentChanges = {
    {
      textDocument = { uri = vim.uri_from_bufnr(bufnr), version = vim.NIL },
      edits = { at(1, 6, 7, '') },
    },
    { kind = 'create', uri = new, options = { ignoreIfExists = true } },
    {
      textDocument = { uri = new, version = vim.NIL },
      edits = { at(0, 0, 0, 'assert True\n') },
    },
  },
}
preview.show(edit, 'utf-16', 'Change')
t.equal('the diff', vim.api.nvim_buf_get_lines(0, 0, -1, false), {
  '--- a.py',
  '+++ a.py',
  '@@ -1,3 +1,3 @@',
  ' x = 2',
  '-y = "é"',
  '+y = "é',
  ' z = 3',
  '--- test_a.py',
  '+++ test_a.py',
  '@@ -0,0 +1,2 @@',
  '+assert True',
  '+', -- as Neovim applies it
})
vim.api.nvim_feedkeys('ga', 'x', false)
t.equal('it is applied', vim.api.nvim_buf_get_lines(bufnr, 1, 2, false), { 'y = "é' })
local created = vim.api.nvim_buf_get_lines(vim.fn.bufnr('test_a.py'), 0, -1, false)
t.equal('the new file is what was shown', created, { 'assert True', '' })
t.done()
