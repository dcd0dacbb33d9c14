-- A model that takes its time to load: the statusline says so, a question can be stopped, another
-- waits for it, and ghost text comes when it is there.
local t = require('testing')

vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'x = 1' })
t.attached(bufnr)
local status, chat = require('quillon.status'), require('quillon.chat')
local function shows(line)
  t.wait(line, function()
    return status.line() == line
  end, status.line)
end

vim.cmd('Quillon chat First question')
shows('Quillon: loading the model')
vim.cmd('Quillon stop')
t.wait('it is stopped', function()
  return not chat.is_running() and t.chat_text():find('> Stopped.', 1, true)
end, t.chat_text)

vim.cmd('Quillon chat Second question')
vim.fn.writefile({}, vim.env.QUILLON_TEST_GATES .. '/load')
t.wait('the answer', function()
  return t.chat_text():find('Second answer.', 1, true) and not chat.is_running()
end, t.chat_text)
shows('Quillon: ready')
vim.api.nvim_set_current_win(vim.fn.bufwinid(bufnr))
t.type('Godef add(', function()
  t.wait('ghost text', function()
    return t.ghost() == 'a, b):\n    return a + b'
  end, t.ghost)
end)
t.done()
