-- The chat on the scripted engine: a tool, approvals, stop, references, stored conversations.
local t = require('testing')

vim.lsp.enable('quillon')
vim.fn.mkdir('tests', 'p')
vim.fn.writefile({}, 'conftest.py')
vim.fn.writefile(
  { 'from a import add', '', '', 'def test_add():', '    assert add(1, 2) == 3' },
  'tests/test_add.py'
)
local bufnr = t.open('a.py', { 'def add(a, b):', '    return a + b' })
t.attached(bufnr)
local chat = require('quillon.chat')

local function ended(text)
  t.wait('the answer: ' .. text, function()
    return not chat.is_running() and t.chat_text():find(text, 1, true)
  end, t.chat_text)
end

vim.cmd('Quillon chat What does add do?')
ended('That is all.')
t.check(
  'the card of the tool',
  t.chat_text():find('▸ read_file a.py · done', 1, true),
  t.chat_text()
)
t.check('its result', t.chat_text():find('│ .*def add'), t.chat_text())
t.check('the usage', t.chat_text():find('tokens read', 1, true), t.chat_text())
local window = vim.fn.bufwinid('quillon://chat')
local folded = vim.api.nvim_win_call(window, function()
  return vim.fn.foldclosed(vim.fn.search('^▸ read_file', 'nw'))
end)
t.check('the card is folded', folded > 0, folded)

local denied = t.choose('Deny')
vim.cmd('Quillon chat Run the tests now')
ended('Then I do not know.')
t.equal('it asked once', #denied, 1)
t.check('and said what would run', denied[1].prompt:find('pytest', 1, true), denied)
t.check('the card says denied', t.chat_text():find('run_tests.-· denied'), t.chat_text())

local granted = t.choose('Allow once')
vim.cmd('Quillon chat Run the tests again')
ended('The tests pass.')
t.check('it asked again', #granted == 1, t.chat_text())
t.check(
  'the tests ran',
  t.chat_text():find('│ .*1 passed') or t.chat_text():find('passed', 1, true),
  t.chat_text()
)

vim.cmd('Quillon chat Count to a hundred')
t.wait('the stream', function()
  return t.chat_text():find('one two three', 1, true)
end, t.chat_text)
vim.cmd('Quillon stop')
ended('> Stopped.')

-- A proposed edit is approved with its diff, then applied by a key.
local asked = t.choose('Allow once')
vim.cmd('Quillon chat Call it plus')
ended('It is called plus now.')
t.check('the diff was shown', asked[1].prompt:find('+def plus', 1, true), asked)
vim.api.nvim_set_current_win(vim.fn.bufwinid('quillon://chat'))
t.check('the edit is listed', vim.fn.search('^✎ ', 'bw') > 0, t.chat_text())
vim.api.nvim_feedkeys('ga', 'x', false)
t.wait('it is applied', function()
  return vim.api.nvim_buf_get_lines(bufnr, 0, 1, false)[1] == 'def plus(a, b):'
end)
t.check('and says so', t.chat_text():find('· applied', 1, true), t.chat_text())
vim.api.nvim_buf_call(bufnr, vim.cmd.undo)
t.equal(
  'one undo takes it back',
  vim.api.nvim_buf_get_lines(bufnr, 0, 1, false),
  { 'def add(a, b):' }
)

-- The question's own window, with a reference.
vim.api.nvim_set_current_win(vim.fn.bufwinid('quillon://ask'))
vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'Be hostile with @a.py and @gone.py' })
vim.api.nvim_feedkeys(vim.keycode('<CR>'), 'x', false)
ended('There is no file or symbol gone.py')
t.wait('the answer', function()
  return t.chat_text():find('A_very_long_word', 1, true)
end, t.chat_text)
t.equal('the question is cleared', t.text(), '')

-- A new conversation, then the old one again.
vim.cmd('Quillon new')
t.equal('it is empty', t.chat_lines(), { '' })
t.choose('What does add do?')
vim.cmd('Quillon conversations')
t.wait('the stored conversation', function()
  return t.chat_text():find('The tests pass.', 1, true)
end, t.chat_text)

local said
vim.notify = function(text)
  said = text
end
vim.cmd('Quillon status')
t.wait('the status', function()
  return said and said:find('ready', 1, true)
end, function()
  return said
end)
t.done()
