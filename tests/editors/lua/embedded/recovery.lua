-- The embedded model: a suggestion, an answer that used a tool; then the engine and the server are
-- killed, and the editor goes on.
local t = require('testing')

vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'def add(a, b):', '    return a + b', '', '' })
t.attached(bufnr)

local function suggestion(head)
  vim.api.nvim_buf_set_lines(bufnr, -1, -1, false, { '', '' })
  vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(bufnr), 0 })
  t.type('A' .. head .. '<CR>', function()
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
  end)
end

--- Kill the process of this test whose command has these words.
local function kill(words)
  for name in vim.fs.dir('/proc') do
    local pid = tonumber(name)
    local command = pid and io.open(('/proc/%d/cmdline'):format(pid), 'rb')
    local environment = pid and io.open(('/proc/%d/environ'):format(pid), 'rb')
    if command and environment then
      local text = command:read('*a'):gsub('%z', ' ')
      local own = environment:read('*a'):find(vim.env.QUILLON_RUNTIME_DIR, 1, true)
      if own and text:find(words, 1, true) then
        vim.uv.kill(pid, 'sigkill')
        return pid
      end
    end
  end
  t.fail('no process runs ' .. words)
end

local function ask(count)
  vim.api.nvim_set_current_win(vim.fn.bufwinid(bufnr))
  vim.cmd('Quillon chat Where is add defined?')
  t.wait('answer ' .. count, function()
    local _, found = t.chat_text():gsub('tokens read', '')
    return not require('quillon.chat').is_running() and found == count
  end, t.chat_text)
  vim.api.nvim_set_current_win(vim.fn.bufwinid(bufnr))
end

suggestion('def subtract(a, b):')
ask(1)
kill('quillon.engine')
suggestion('def multiply(a, b):')
local before = t.attached(bufnr).id
kill('quillon lsp')
t.wait('another client', function()
  local client = vim.lsp.get_clients({ name = 'quillon', bufnr = bufnr })[1]
  return client and client.id ~= before and client.initialized
end)
suggestion('def divide(a, b):')
ask(2)
t.done()
