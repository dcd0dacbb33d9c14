-- The chat by ranges and keys: code that goes with a question, places, discarded edits, approvals
-- that hold for a conversation.
local t = require('testing')

vim.lsp.enable('quillon')
vim.fn.mkdir('tests', 'p')
vim.fn.writefile({}, 'conftest.py')
vim.fn.writefile(
  { 'from a import add', '', '', 'def test_add():', '    assert add(1, 2) == 3' },
  'tests/test_add.py'
)
local SOURCE = { 'def add(a, b):', '    return a + b', '', 'def times(a, b):', '    return a * b' }
local bufnr = t.open('a.py', SOURCE)
t.attached(bufnr)
local code = vim.api.nvim_get_current_win()
local chat = require('quillon.chat')

local function ended(text)
  t.wait('the answer: ' .. text, function()
    return not chat.is_running() and t.chat_text():find(text, 1, true)
  end, t.chat_text)
end

--- Run a command where the code is, with the cursor in `times`.
local function command(text)
  vim.api.nvim_set_current_win(code)
  vim.api.nvim_win_set_cursor(code, { 5, 4 })
  vim.cmd(text)
end

--- Press keys in the transcript, at the last such text.
local function press(keys, text)
  vim.api.nvim_set_current_win(vim.fn.bufwinid('quillon://chat'))
  vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(0), 0 })
  t.check('the transcript has ' .. text, vim.fn.search('\\V' .. text, 'bw') > 0, t.chat_text())
  vim.api.nvim_feedkeys(vim.keycode(keys), 'x', false)
end

--- Which of the two functions went with the last question.
local function attached()
  local request = t.request()
  return {
    add = request:find('return a + b', 1, true) ~= nil,
    times = request:find('return a * b', 1, true) ~= nil,
  }
end

command('Quillon explain')
ended('This code **adds** two numbers.')
t.equal('the code around the cursor goes with it', attached(), { add = false, times = true })
command('1,2Quillon explain')
ended('tokens read')
t.equal('or that of the range', attached(), { add = true, times = false })
t.equal('in a conversation of its own', select(2, t.chat_text():gsub('## You', '')), 1)
command('Quillon new')
command('4,5Quillon chat What is attached?')
ended('I see it.')
t.equal('a question is about its range', attached(), { add = false, times = true })

command('Quillon chat What does add do?')
ended('That is all.')
press('<CR>', 'a.py:1')
t.equal('Enter opens a place where the code is', vim.api.nvim_get_current_win(), code)
t.equal('at its line', vim.api.nvim_win_get_cursor(code)[1], 1)
t.equal('the windows are as they were', #vim.api.nvim_list_wins(), 3)

t.choose('Allow once')
command('Quillon chat Call it sum_of')
ended('It is called sum_of now.')
press('gx', '✎')
t.check('gx discards an edit', t.chat_text():find('· discarded', 1, true), t.chat_text())
press('ga', '✎')
t.equal(
  'which is never applied',
  table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), '\n'),
  table.concat(SOURCE, '\n')
)

command('Quillon new')
local asked = t.choose('Allow in this conversation')
command('Quillon chat Run them all')
ended('All pass.')
t.equal('it asked', #asked, 1)
command('Quillon chat Run them all')
t.wait('the second answer', function()
  local _, answers = t.chat_text():gsub('All pass%.', '')
  return answers == 2 and not chat.is_running()
end, t.chat_text)
t.equal('not again in this conversation', #asked, 1)
local _, runs = t.chat_text():gsub('▸ run_tests [^\n]*· done', '')
t.equal('they ran twice', runs, 2)

command('Quillon chat Count to a hundred')
t.wait('the stream', function()
  return t.chat_text():find('one two three', 1, true)
end, t.chat_text)
vim.api.nvim_set_current_win(vim.fn.bufwinid('quillon://ask'))
vim.api.nvim_feedkeys(vim.keycode('ia<C-c>b'), 'x', false)
ended('> Stopped.')
t.equal('CTRL-C stops it and the question can be written on', t.text(), 'ab')
t.done()
