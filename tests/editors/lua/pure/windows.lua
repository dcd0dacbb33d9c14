-- The chat's windows: places in an answer open beside them, and they come back after `:bdelete`.
local t = require('testing')

local said = t.said()
local chat = require('quillon.chat')

local function transcript_window()
  return vim.fn.bufwinid('quillon://chat')
end

--- Press Enter on the first such text of the transcript.
---@param text string
local function follow(text)
  vim.api.nvim_set_current_win(transcript_window())
  t.check('the transcript has ' .. text, vim.fn.search('\\V' .. text, 'w') > 0, t.chat_text())
  vim.api.nvim_feedkeys(vim.keycode('<CR>'), 'x', false)
end

local ANSWER = 'See `src/a.py:2`, `b.py:1` and `gone.py:3`, or https://example.com/a.'
vim.fn.mkdir('src', 'p')
vim.fn.writefile({ 'x = 1', 'y = 2' }, 'src/a.py')
local file = t.open('b.py', { 'z = 3' })
local window = vim.api.nvim_get_current_win()
chat.open()
chat.show('c', { { role = 'user', text = 'Hi' }, { role = 'assistant', text = ANSWER } })

follow('src/a.py')
t.equal('a place opens where the code was', vim.api.nvim_get_current_win(), window)
t.equal('it is the file', vim.api.nvim_buf_get_name(0), vim.fn.getcwd() .. '/src/a.py')
t.equal('at the line', vim.api.nvim_win_get_cursor(0)[1], 2)
t.equal('the question keeps its window', #vim.api.nvim_list_wins(), 3)

vim.api.nvim_win_set_buf(window, file)
vim.api.nvim_buf_set_lines(file, 0, -1, false, { 'unsaved' })
follow('b.py')
t.equal('what is not saved is kept', t.text(), 'unsaved')

vim.api.nvim_win_close(window, true)
follow('b.py')
t.equal('without a window of a file there is a new one', #vim.api.nvim_list_wins(), 3)
t.equal('which shows it', vim.api.nvim_get_current_buf(), file)
t.equal('and has no bar of the chat', vim.wo.winbar, '')

follow('gone.py')
t.check('a file that is not there is said', said.text():find('no file', 1, true), said.text())
follow('Hi')
t.check('no place is said', said.text():find('no place', 1, true), said.text())

-- Off an edit, `gx` does what it does everywhere.
local opened
vim.ui.open = function(link)
  opened = link
end
vim.api.nvim_set_current_win(transcript_window())
vim.fn.search('example', 'w')
vim.treesitter.get_parser(0):parse(true) -- as drawing does, on which Neovim's `gx` relies
vim.api.nvim_feedkeys('gx', 'x', false)
t.equal('gx opens a link', opened, 'https://example.com/a')
t.check('and stays the key of an edit', vim.fn.maparg('gx', 'n', false, true).buffer == 1)

-- Where nothing runs, CTRL-C leaves insert mode.
vim.api.nvim_set_current_win(vim.fn.bufwinid('quillon://ask'))
vim.api.nvim_feedkeys(vim.keycode('iab<C-c>x'), 'x', false)
t.equal('what follows is a command', t.text(), 'a')
t.equal('and nothing is complained about', said.text():find('answers nothing'), nil)

for _, name in ipairs({ 'quillon://chat', 'quillon://ask' }) do
  vim.cmd.bdelete(vim.fn.bufnr(name))
end
chat.open()
t.check('the transcript is back', t.chat_text():find('See `src/a.py:2`', 1, true), t.chat_text())
local ask = vim.fn.bufnr('quillon://ask')
t.equal('the question is written', vim.api.nvim_get_current_buf(), ask)
t.equal('it is no file', { vim.bo.buftype, vim.bo.swapfile }, { 'nofile', false })
t.equal('Enter sends', vim.fn.maparg('<CR>', 'n', false, true).desc, 'Send the question')
vim.api.nvim_set_current_win(transcript_window())
t.equal('q closes', vim.fn.maparg('q', 'n', false, true).desc, 'Close the chat')
t.done()
