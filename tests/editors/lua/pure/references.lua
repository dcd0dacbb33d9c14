local references = require('quillon.references')
local t = require('testing')

t.equal(
  'marks are words of their own',
  references.marks('see @src/a.py, and #selection? mail me@home #12 @'),
  { '@src/a.py', '#selection' }
)

vim.fn.mkdir('src', 'p')
vim.fn.writefile({ 'x = 1' }, 'src/a.py')
local root = vim.fn.getcwd()
local found, problems = references.resolve('compare @src/a.py with @gone.py', root, nil)
t.equal(
  'files are found below the root',
  found,
  { { uri = vim.uri_from_fname(root .. '/src/a.py') } }
)
t.equal(
  'what is missing is said',
  problems,
  { 'There is no file or symbol gone.py; the question goes without it.' }
)

local _, none = references.resolve('explain #selection', root, nil)
t.equal(
  'an empty selection is said',
  none,
  { 'Nothing is selected; the question goes without #selection.' }
)

t.equal('names are completed', references.complete('a.', root, 10), { 'src/a.py' })

local bufnr = t.open('b.py', { 'def f():', '    return 1', '', 'x = 2', 'y = 3' })
t.equal('lines are a range', references.lines(bufnr, 2, 3).range, {
  start = { line = 1, character = 0 },
  ['end'] = { line = 3, character = 0 },
})
t.equal('nothing selected yet', references.selection(bufnr), nil)
vim.api.nvim_feedkeys(vim.keycode('ggVj<Esc>'), 'nx', false)
t.equal('the lines selected last', references.selection(bufnr).range['end'].line, 2)

local command = require('quillon.command')
t.equal('the paragraph around a line', { command.around(bufnr, 4) }, { 4, 5 })
t.done()
