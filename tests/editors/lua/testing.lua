--- What the scenarios share. A scenario is a script for `nvim -l`; it ends in `t.done()`.
local M = {}

--- Milliseconds until a wait fails: generous, for a busy machine.
M.PATIENCE = tonumber(vim.env.QUILLON_TEST_PATIENCE) or 300000

---@param what string
---@param extra any
function M.fail(what, extra)
  io.stderr:write('FAILED: ' .. what .. '\n')
  if extra ~= nil then
    io.stderr:write(vim.inspect(extra) .. '\n')
  end
  local log = vim.lsp.log.get_filename()
  if vim.uv.fs_stat(log) then
    io.stderr:write(table.concat(vim.fn.readfile(log), '\n'):sub(-6000) .. '\n')
  end
  M.leave(1)
end

---@param what string
---@param condition any
---@param extra? any
function M.check(what, condition, extra)
  if not condition then
    M.fail(what, extra)
  end
end

---@param what string
---@param found any
---@param wanted any
function M.equal(what, found, wanted)
  M.check(what, vim.deep_equal(found, wanted), { found = found, wanted = wanted })
end

--- Wait until a condition holds.
---@param what string
---@param condition fun(): any
---@param extra? fun(): any shown when it never does
function M.wait(what, condition, extra)
  if not vim.wait(M.PATIENCE, condition, 20) then
    M.fail('waited for: ' .. what, extra and extra())
  end
end

--- Open a file of the workspace with these lines.
---@param name string
---@param lines string[]
---@return integer bufnr
function M.open(name, lines)
  local path = vim.fs.joinpath(vim.fn.getcwd(), name)
  vim.fn.mkdir(vim.fs.dirname(path), 'p')
  vim.fn.writefile(lines, path)
  vim.cmd.edit(vim.fn.fnameescape(path))
  return vim.api.nvim_get_current_buf()
end

--- Wait for the language client of a buffer.
---@param bufnr integer
---@return vim.lsp.Client
function M.attached(bufnr)
  local client
  M.wait('the client attaches', function()
    client = vim.lsp.get_clients({ name = 'quillon', bufnr = bufnr })[1]
    return client and client.initialized
  end)
  return client
end

--- The lines of the chat.
---@return string[]
function M.chat_lines()
  return vim.api.nvim_buf_get_lines(vim.fn.bufnr('quillon://chat'), 0, -1, false)
end

---@return string
function M.chat_text()
  return table.concat(M.chat_lines(), '\n')
end

--- The last request that the scripted engine was sent, as it recorded it.
---@return string
function M.request()
  local rows = vim.fn.readfile(vim.env.QUILLON_TEST_REQUESTS)
  return rows[#rows]
end

--- Kill the process of this test whose command has these words.
---@param words string
function M.kill(words)
  for name in vim.fs.dir('/proc') do
    local pid = tonumber(name)
    local command = pid and io.open(('/proc/%d/cmdline'):format(pid), 'rb')
    local environment = pid and io.open(('/proc/%d/environ'):format(pid), 'rb')
    if command and environment then
      local text = command:read('*a'):gsub('%z', ' ')
      local own = environment:read('*a'):find(vim.env.QUILLON_RUNTIME_DIR, 1, true)
      if own and text:find(words, 1, true) then
        vim.uv.kill(pid, 'sigkill')
        return
      end
    end
  end
  M.fail('no process runs ' .. words)
end

--- Type keys in insert mode and stay there while `inside` waits: Neovim drops inline completions
--- that arrive in another mode, and feedkeys leaves insert mode when its keys end.
---@param keys string
---@param ... fun() what happens after the keys, still in insert mode
function M.type(keys, ...)
  local calls = { ... }
  _G.__typed = function(index)
    calls[index]()
  end
  for index in ipairs(calls) do
    keys = keys .. ('<Cmd>lua __typed(%d)<CR>'):format(index)
  end
  vim.api.nvim_feedkeys(vim.keycode(keys), 'nx', false)
end

--- The ghost text that is shown in the current buffer; nil when there is none.
---@return string?
function M.ghost()
  local namespace = vim.api.nvim_get_namespaces()['nvim.lsp.inline_completion']
  local marks = namespace and vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })
  local details = marks and marks[1] and marks[1][4]
  if not details then
    return nil
  end
  local lines = {}
  for _, chunks in ipairs({ details.virt_text, unpack(details.virt_lines or {}) }) do
    local texts = vim.tbl_map(function(chunk)
      return chunk[1]
    end, chunks)
    table.insert(lines, table.concat(texts))
  end
  return table.concat(lines, '\n')
end

---@return string
function M.text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
end

--- Answer every `vim.ui.select` with the item whose text contains this; returns what was asked.
---@param choice string
---@return { prompt: string, items: string[] }[]
function M.choose(choice)
  local asked = {}
  vim.ui.select = function(items, options, done)
    local texts = vim.tbl_map(options.format_item or tostring, items)
    table.insert(asked, { prompt = options.prompt, items = texts })
    for index, text in ipairs(texts) do
      if text:find(choice, 1, true) then
        return done(items[index], index)
      end
    end
    done(nil, nil)
  end
  return asked
end

--- Keep what is said to the user from now on.
---@return { text: fun(): string }
function M.said()
  local rows = {}
  local function keep(text)
    table.insert(rows, tostring(text))
  end
  vim.notify, vim.notify_once = keep, keep
  return {
    text = function()
      return table.concat(rows, '\n')
    end,
  }
end

--- The report of `:checkhealth quillon`.
---@return string
function M.health()
  vim.cmd.checkhealth('quillon')
  local report = M.text()
  vim.cmd.bwipeout()
  return report
end

---@param status integer
function M.leave(status)
  for _, client in ipairs(vim.lsp.get_clients()) do
    client:stop(true)
  end
  vim.wait(10000, function()
    return #vim.lsp.get_clients() == 0
  end, 20)
  os.exit(status)
end

function M.done()
  io.stdout:write('passed\n')
  M.leave(0)
end

return M
