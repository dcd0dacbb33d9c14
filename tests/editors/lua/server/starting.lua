-- A question waits for a server that starts or is started again, and can be stopped meanwhile.
local t = require('testing')

local said = t.said()
vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'def add(a, b):', '    return a + b' })
local code = vim.api.nvim_get_current_win()
local chat, server = require('quillon.chat'), require('quillon.client')
local WAITS = 'Quillon is still starting; the question waits for it.'

--- Ask while no server runs.
---@param question string
local function ask(question)
  vim.api.nvim_set_current_win(code)
  vim.cmd('Quillon chat ' .. question)
  t.equal('no server runs yet', server.get(), nil)
  t.check('the question is there', t.chat_text():find(question, 1, true), t.chat_text())
  t.check('and waits', chat.is_running() and t.chat_text():find(WAITS, 1, true), t.chat_text())
end

---@param answer string
local function ended(answer)
  t.wait('the answer: ' .. answer, function()
    return not chat.is_running() and t.chat_text():find(answer, 1, true)
  end, t.chat_text)
  t.check('nothing says that it waits', not t.chat_text():find(WAITS, 1, true), t.chat_text())
end

-- Right after a file is opened.
ask('First question')
vim.api.nvim_set_current_win(code)
t.wait('the server begins', server.starting)
vim.cmd('Quillon status')
t.equal('what cannot wait says so', said.text(), require('quillon.words').say('starting'))
ended('First answer.')
t.equal('it was asked once', select(2, t.chat_text():gsub('## You', '')), 1)
t.equal('the cursor is where it was', vim.api.nvim_get_current_win(), code)

-- After a crash, before the server is started again.
t.kill('quillon lsp')
t.wait('the crash', require('quillon.restart').planned)
ask('Second question')
ended('Second answer.')
t.equal('both turns are there', select(2, t.chat_text():gsub('## You', '')), 2)

-- What was stopped is never asked.
t.attached(bufnr)
vim.cmd('Quillon new')
vim.cmd('Quillon restart')
ask('Better question')
vim.cmd('Quillon stop')
t.check('it is stopped', t.chat_text():find('> Stopped.', 1, true), t.chat_text())
t.attached(bufnr)
vim.cmd('Quillon chat First question')
t.wait('the next answer', function()
  return not chat.is_running() and t.chat_text():find('First answer.', 1, true)
end, t.chat_text)
t.check('what was stopped has none', not t.chat_text():find('Better answer', 1, true))
t.done()
