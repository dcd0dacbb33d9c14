-- The folder of the workspace is deleted while a file of it is open: what was typed is kept, the
-- chat and suggestions go on, also with another server, and the file can be saved again.
local t = require('testing')

vim.lsp.enable('quillon')
vim.fn.mkdir('project/.git', 'p')
vim.cmd.cd('project')
local root = vim.fn.getcwd()
local bufnr = t.open('a.py', { 'def add(a, b):', '    return a + b' })
local before = t.attached(bufnr).id
local code = vim.api.nvim_get_current_win()
local chat = require('quillon.chat')
local said = t.said()

--- Ask where the code is, and wait for the end of the answer.
---@param question string
---@param answer string
local function ask(question, answer)
  vim.api.nvim_set_current_win(code)
  vim.cmd('Quillon chat ' .. question)
  t.wait('the answer to ' .. question, function()
    return not chat.is_running() and t.chat_text():find(answer, 1, true)
  end, t.chat_text)
  vim.api.nvim_set_current_win(code)
end

vim.api.nvim_buf_set_lines(bufnr, -1, -1, false, { 'x = 1' })
vim.fn.delete(root, 'rf')
t.equal('the folder is gone', vim.uv.fs_stat(root), nil)
ask('First question', 'First answer.')

vim.cmd('Quillon restart')
t.check('another server', t.attached(bufnr).id ~= before)
ask('Second question about @a.py', 'Second answer.')
t.check('a file that is gone is said', t.chat_text():find('no file or symbol a.py', 1, true))
vim.cmd('Quillon new')
ask('What does add do?', 'That is all.')
t.check('its tool reads the buffer', t.chat_text():find('│ .*x = 1'), t.chat_text())
t.type('Godef add(', function()
  t.wait('ghost text', function()
    return t.ghost() == 'a, b):\n    return a + b'
  end, t.ghost)
end)

local saved, problem = pcall(vim.cmd.write)
t.check('Neovim says why it cannot save', not saved and problem:find('E212'), problem)
t.equal('what was typed is there', t.text():match('x = 1\n.*'), 'x = 1\ndef add(')
t.check('and not saved', vim.bo.modified)
vim.cmd('write ++p')
t.equal('it is saved', table.concat(vim.fn.readfile(root .. '/a.py'), '\n'), t.text())
t.equal('nothing was complained about', said.text(), '')
t.done()
