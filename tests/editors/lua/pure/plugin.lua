-- What loading the plugin does, and how it behaves without a server.
local t = require('testing')

local said = {}
vim.notify = function(text)
  table.insert(said, text)
end

t.equal(':Quillon exists', vim.fn.exists(':Quillon'), 2)
t.equal(
  'its subcommands are completed',
  vim.fn.getcompletion('Quillon st', 'cmdline'),
  { 'status', 'stop' }
)

vim.cmd('Quillon dance')
t.check('an unknown subcommand lists the known ones', said[1]:match('There are: chat, '), said)
vim.cmd('Quillon status')
t.check('no server is a sentence', said[2]:match('does not run'), said)
vim.cmd('Quillon toggle')
t.check('nothing can be turned off', said[3]:match('does not run') and not said[4], said)
t.equal('the statusline is empty', require('quillon.status').line(), '')
t.check('nothing to stop', pcall(vim.cmd, 'Quillon stop'))

vim.cmd('Quillon chat')
local log, ask = vim.fn.bufwinid('quillon://chat'), vim.fn.bufwinid('quillon://ask')
t.check('the chat is two windows', log ~= -1 and ask ~= -1)
t.equal('the cursor is in the question', vim.api.nvim_get_current_win(), ask)
vim.api.nvim_feedkeys('q', 'x', false)
t.equal(
  'q closes both',
  { vim.fn.bufwinid('quillon://chat'), vim.fn.bufwinid('quillon://ask') },
  { -1, -1 }
)
vim.cmd('Quillon chat')
vim.cmd('Quillon chat')
t.equal('it opens once', #vim.api.nvim_list_wins(), 3)

local buffer = require('quillon.buffer')
vim.cmd.enew()
t.equal('a buffer without a file is left alone', buffer.root(0), nil)
vim.bo.buftype = 'nofile'
t.equal('a scratch buffer is left alone', buffer.root(0), nil)
local code = t.open('project/a.py', { 'x = 1' })
vim.fn.mkdir('project/.git', 'p')
t.equal('the root is the project', buffer.root(code), vim.fn.getcwd() .. '/project')
require('quillon.options').set({ largest_file = 3 })
t.equal('a large file is left alone', buffer.root(code), nil)
t.check('and that is said', said[#said]:match('larger than'), said)

local restart = require('quillon.restart')
local delays = {}
for second = 0, 5 do
  table.insert(delays, restart.delay(second * 1000) or 'given up')
end
t.equal('crashes are answered more slowly', delays, { 500, 1000, 2000, 4000, 8000, 'given up' })

local diagnostic = { lnum = 0, col = 5, end_lnum = 0, end_col = 6, message = 'm', severity = 1 }
vim.api.nvim_buf_set_lines(code, 0, -1, false, { 'é😀x' })
vim.api.nvim_buf_set_lines(code, 0, -1, false, { 'é😀xy' })
diagnostic.col, diagnostic.end_col = 6, 7
local converted = require('quillon.diagnostics').to_lsp(diagnostic, code, 'utf-16')
t.equal('columns are converted', {
  converted.range.start.character,
  converted.range['end'].character,
}, { 3, 4 })

vim.cmd.checkhealth('quillon')
local report = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
t.check('checkhealth reports', report:match('The server') and report:match('not running'), report)
t.done()
