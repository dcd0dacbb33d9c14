-- Everything once on the embedded model: suggestions, a code action, a preview, an explanation, a
-- chat that uses tools; then its engine and the server are killed, and the editor goes on. What the
-- model says is its own; what the editor does with it is checked.
local t = require('testing')

vim.lsp.enable('quillon')
vim.fn.mkdir('tests', 'p')
vim.fn.writefile({}, 'conftest.py')
vim.fn.writefile(
  { 'from a import area', '', '', 'def test_area():', '    assert area(2, 3) == 6' },
  'tests/test_area.py'
)
local SOURCE = { 'def area(rows, columns):', '    return rows * columns' }
local bufnr = t.open('a.py', SOURCE)
t.attached(bufnr)
local chat = require('quillon.chat')

--- Type the head of a function behind all, and wait for whatever the model suggests for its body.
---@param head string keys
---@param inside? fun() what happens then, still in insert mode
---@param before? fun() what happens before it is waited for
local function suggestion(head, inside, before)
  vim.api.nvim_buf_set_lines(bufnr, -1, -1, false, { '', '' })
  vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(bufnr), 0 })
  t.type('A' .. head .. '<CR>', function()
    if before then
      before()
    end
    t.wait('a suggestion behind ' .. head, function()
      local ghost = t.ghost()
      if ghost and vim.trim(ghost) ~= '' then
        return true
      end
      -- The engine may still be loading: a keystroke asks again.
      vim.api.nvim_exec_autocmds('CursorMovedI', { buffer = bufnr })
      vim.wait(1500, function()
        return t.ghost() ~= nil
      end, 20)
      return t.ghost() ~= nil
    end)
    if inside then
      inside()
    end
  end)
end

--- Ask in a conversation of its own, and wait for the end of the answer.
---@param question string
local function ask(question)
  vim.api.nvim_set_current_win(vim.fn.bufwinid(bufnr))
  vim.cmd('Quillon new')
  vim.cmd('Quillon chat ' .. question)
  t.wait('the answer to ' .. question, function()
    return not chat.is_running() and t.chat_text():find('tokens read', 1, true)
  end, t.chat_text)
  vim.api.nvim_set_current_win(vim.fn.bufwinid(bufnr))
end

---@param title string
local function run(title)
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      return action.title == title
    end,
  })
end

--- Accept the suggestion that is shown: that and nothing else is added.
local function accept()
  local before, ghost = t.text(), t.ghost()
  t.check('it is accepted', require('quillon.inline').accept())
  t.wait('what was shown is there', function()
    return t.text() == before .. ghost
  end, function()
    return { before = before, ghost = ghost, after = t.text() }
  end)
end

--- Count the suggestions that are asked for and the answers, from now on.
---@param client vim.lsp.Client
---@return { asked: integer, answered: integer }
local function counted(client)
  local counts, request = { asked = 0, answered = 0 }, client.request
  client.request = function(self, method, params, done, ...)
    if method ~= 'textDocument/inlineCompletion' then
      return request(self, method, params, done, ...)
    end
    counts.asked = counts.asked + 1
    return request(self, method, params, function(...)
      counts.answered = counts.answered + 1
      done(...)
    end, ...)
  end
  return counts
end

-- What is shown is what is accepted, in the buffer and in the file.
suggestion('def subtract(a, b):', accept)

-- Typed on, a suggestion is superseded: each is answered, and what is shown last belongs there.
local counts = counted(t.attached(bufnr))
-- Keys that wait to be typed keep Neovim from asking by itself, 200 ms after the last one.
local PAUSE =
  "<Cmd>lua vim.api.nvim_exec_autocmds('CursorMovedI', { buffer = 0 }) vim.wait(250)<CR>"
suggestion(('def %ssmaller(%sfirst, %ssecond):'):format(PAUSE, PAUSE, PAUSE), accept, function()
  vim.api.nvim_exec_autocmds('CursorMovedI', { buffer = bufnr })
  t.wait('each pause asked, and all are answered', function()
    return counts.asked > 3 and counts.answered == counts.asked
  end, function()
    return counts
  end)
end)
vim.cmd.write()
t.equal('the file', table.concat(vim.fn.readfile('a.py'), '\n'), t.text())

vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, SOURCE)
vim.api.nvim_win_set_cursor(0, { 1, 4 })
run('Write a docstring for area')
t.wait('the docstring', function()
  return vim.api.nvim_buf_get_lines(bufnr, 1, 2, false)[1]:find('"""', 1, true)
end, t.text)
vim.cmd.undo()
t.equal('one undo takes it back', vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), SOURCE)

t.choose('Write a docstring for area')
for key, documented in pairs({ gx = false, ga = true }) do
  vim.cmd('1,2Quillon preview')
  t.wait('the preview', function()
    return vim.api.nvim_win_get_config(0).relative ~= ''
  end)
  t.check('it is a diff', t.text():find('\n+    """', 1, true), t.text())
  vim.api.nvim_feedkeys(key, 'x', false)
  t.equal(key, vim.api.nvim_buf_get_lines(bufnr, 1, 2, false)[1]:find('"""') ~= nil, documented)
  if documented then
    vim.cmd.undo()
  end
  t.equal('nothing else has changed', vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), SOURCE)
end
run('Explain this')
t.wait('the chat explains', function()
  return vim.fn.bufnr('quillon://chat') ~= -1
    and not chat.is_running()
    and t.chat_text():find('tokens read', 1, true)
end)

ask('Where is area defined?')
t.check('a tool was used', t.chat_text():find('▸ search_symbols.-· done'), t.chat_text())
t.check('its result', t.chat_text():find('│ .*a%.py:1'), t.chat_text())

for choice, state in pairs({ ['Deny'] = 'denied', ['Allow once'] = 'done' }) do
  local asked = t.choose(choice)
  ask('Run the tests.')
  t.check('it asked', #asked > 0, t.chat_text())
  t.check('and said what would run', asked[1].prompt:find('pytest', 1, true), asked)
  t.check(
    'the card says ' .. state,
    t.chat_text():find('▸ run_tests.-· ' .. state),
    t.chat_text()
  )
end

t.kill('quillon.engine')
suggestion('def multiply(a, b):')
local before = t.attached(bufnr).id
t.kill('quillon lsp')
t.wait('another client', function()
  local client = vim.lsp.get_clients({ name = 'quillon', bufnr = bufnr })[1]
  return client and client.id ~= before and client.initialized
end)
suggestion('def divide(a, b):')
ask('Where is area defined?')

-- The same model with other end tokens says more than anybody wants to hear.
local cmd = vim.lsp.config.quillon.cmd --[[@as string[] ]]
local other = vim.list_slice(cmd, 1, #cmd - 1)
table.insert(other, vim.json.encode({ model = { path = vim.env.QUILLON_TEST_ENDLESS } }))
vim.lsp.config('quillon', { cmd = other })
vim.cmd('Quillon restart')
t.wait('the restarted client', function()
  local client = vim.lsp.get_clients({ name = 'quillon', bufnr = bufnr })[1]
  return client and client.id ~= before and client.initialized
end)
t.attached(bufnr)
vim.cmd('Quillon new')
vim.cmd('Quillon chat Hello there')
t.wait('the stream', function()
  return #t.chat_lines() > 8 and t.chat_text():match('## Quillon%s+%S')
end, t.chat_text)
vim.cmd('Quillon stop')
t.wait('it is stopped', function()
  return not chat.is_running() and t.chat_text():find('> Stopped.', 1, true)
end, t.chat_text)
t.done()
