--- Suggestions while typing, by |vim.lsp.inline_completion| of Neovim 0.12.
local words = require('quillon.words')

local M = {}

local silent_until = 0
local wanted = true -- whether suggestions are on in this session

--- Neovim 0.11 has no inline completion; everything else works there.
---@return boolean
function M.available()
  return vim.lsp.inline_completion and true or false
end

---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  local options = require('quillon.options').get()
  if not M.available() or not options.inline then
    return
  end
  M.map(bufnr, options.keys)
  if M.is_on() and client:supports_method('textDocument/inlineCompletion', bufnr) then
    vim.lsp.inline_completion.enable(true, { bufnr = bufnr })
  end
end

--- Whether suggestions are shown: turned on, and not silenced.
---@return boolean
function M.is_on()
  return wanted and not M.snoozed()
end

--- Show suggestions in every buffer of every project's server, or in none.
local function follow()
  for _, client in ipairs(vim.lsp.get_clients({ name = 'quillon' })) do
    for bufnr in pairs(client.attached_buffers) do
      vim.lsp.inline_completion.enable(M.is_on(), { bufnr = bufnr })
    end
  end
end

--- Whether there is something to turn on or off; where there is not, a sentence says why.
---@return boolean
local function ready()
  if not M.available() then
    vim.notify(words.say('needs_newer'), vim.log.levels.WARN)
    return false
  end
  return require('quillon.client').need() ~= nil
end

--- Map the keys in one buffer, leaving what the user has mapped there alone.
---@param bufnr integer
---@param keys quillon.Keys
function M.map(bufnr, keys)
  local actions = {
    accept = M.accept,
    accept_word = M.accept_word,
    accept_line = M.accept_line,
    next = M.next,
    previous = M.previous,
  }
  for name, action in pairs(actions) do
    local key = keys[name]
    if key and M.is_free(bufnr, key) then
      vim.keymap.set('i', key, function()
        return action() and '' or M.fallback(key)
      end, { buffer = bufnr, expr = true, desc = words.say('key_' .. name) })
    end
  end
end

--- Whether the user has not mapped a key. Neovim's own mapping of <Tab>, for snippets, is kept.
---@param bufnr integer
---@param key string
---@return boolean
function M.is_free(bufnr, key)
  local mapped = vim.api.nvim_buf_call(bufnr, function()
    return vim.fn.maparg(key, 'i', false, true)
  end)
  return vim.tbl_isempty(mapped) or vim.startswith(mapped.desc or '', 'vim.snippet.jump')
end

--- What a key does where there is nothing to accept.
---@param key string
---@return string
function M.fallback(key)
  if key == '<Tab>' and vim.snippet.active({ direction = 1 }) then
    return '<Cmd>lua vim.snippet.jump(1)<CR>'
  end
  return key
end

--- Accept the whole suggestion; false when there is none.
---@return boolean
function M.accept()
  return vim.lsp.inline_completion.get()
end

---@return boolean
function M.accept_word()
  return M.accept_part('^%s*[%w_]+', '^%s*[^%w_%s]+')
end

---@return boolean
function M.accept_line()
  return M.accept_part('^\n?[^\n]*')
end

--- Accept the beginning of the suggestion that a pattern matches.
---@param ... string patterns, the first that matches counts
---@return boolean
function M.accept_part(...)
  local patterns = { ... }
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      local part = M.next_part(item, patterns)
      if not part then
        return item
      end
      -- What the range covers to the right of the cursor belongs to the whole suggestion only.
      M.insert(part)
    end,
  })
end

--- The suggestion's next part after what is typed already; nil where only the whole can be taken.
---@param item vim.lsp.inline_completion.Item
---@param patterns string[]
---@return string?
function M.next_part(item, patterns)
  local text, typed = item.insert_text, M.typed(item)
  if type(text) ~= 'string' or text:sub(1, #typed) ~= typed then
    return nil
  end
  local rest = text:sub(#typed + 1)
  for _, pattern in ipairs(patterns) do
    local part = rest:match(pattern)
    if part and part ~= '' then
      return part
    end
  end
end

--- Insert text at the cursor and go behind it.
---@param text string
function M.insert(text)
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local lines = vim.split(text, '\n')
  vim.api.nvim_buf_set_text(0, row - 1, column, row - 1, column, lines)
  local last = #lines == 1 and column + #text or #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { row + #lines - 1, last })
end

--- The text between the item's start and the cursor.
---@param item vim.lsp.inline_completion.Item
---@return string
function M.typed(item)
  if not item.range then
    return ''
  end
  local _, start = item.range:to_extmark()
  local line = vim.api.nvim_get_current_line()
  return line:sub(start + 1, vim.api.nvim_win_get_cursor(0)[2])
end

--- Whether a suggestion is shown in this buffer. Neovim has no question for it that leaves the
--- suggestion there, so its marks tell.
---@return boolean
local function shown()
  local namespace = vim.api.nvim_get_namespaces()['nvim.lsp.inline_completion']
  return namespace ~= nil and #vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { limit = 1 }) > 0
end

--- Show another suggestion; false when none is shown.
---@param count integer
---@return boolean
local function select(count)
  if not shown() then
    return false
  end
  vim.lsp.inline_completion.select({ count = count })
  return true
end

---@return boolean
function M.next()
  return select(1)
end

---@return boolean
function M.previous()
  return select(-1)
end

--- Turn suggestions on or off for this session; returns whether they are on, nil where nothing
--- suggests.
---@return boolean?
function M.toggle()
  if not ready() then
    return nil
  end
  wanted = not wanted
  follow()
  return wanted
end

--- Silence suggestions for so many minutes; 0 ends the silence.
---@param minutes number
function M.snooze(minutes)
  if not ready() then
    return
  end
  silent_until = minutes > 0 and vim.uv.now() + minutes * 60000 or 0
  follow()
  if minutes > 0 then
    vim.defer_fn(function()
      if silent_until > 0 and not M.snoozed() then
        silent_until = 0
        follow()
      end
    end, minutes * 60000 + 50)
  end
end

---@return boolean
function M.snoozed()
  return vim.uv.now() < silent_until
end

return M
