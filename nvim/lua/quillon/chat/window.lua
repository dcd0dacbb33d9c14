--- The chat's two windows: the transcript, and below it where questions are written.
local words = require('quillon.words')

local M = {}

local ASK_HEIGHT = 5

local log_buffer ---@type integer?
local ask_buffer ---@type integer?

---@param name string
---@param filetype string
---@return integer
local function scratch(name, filetype)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(bufnr, name)
  vim.bo[bufnr].bufhidden = 'hide'
  vim.bo[bufnr].swapfile = false
  vim.bo[bufnr].filetype = filetype
  return bufnr
end

--- Whether a buffer is still as `scratch` made it: `:bdelete` leaves one without keys and options,
--- which is wiped here.
---@param bufnr? integer
---@return boolean
local function usable(bufnr)
  if not bufnr or not vim.api.nvim_buf_is_valid(bufnr) then
    return false
  end
  if vim.api.nvim_buf_is_loaded(bufnr) and vim.bo[bufnr].buftype == 'nofile' then
    return true
  end
  vim.api.nvim_buf_delete(bufnr, { force = true })
  return false
end

---@return integer log
---@return integer ask
function M.buffers()
  if not usable(log_buffer) then
    log_buffer = scratch('quillon://chat', 'markdown')
    vim.bo[log_buffer].modifiable = false
    M.map_log(log_buffer)
  end
  if not usable(ask_buffer) then
    ask_buffer = scratch('quillon://ask', 'quillon_ask')
    vim.bo[ask_buffer].omnifunc = "v:lua.require'quillon.chat.window'.complete"
    M.map_ask(ask_buffer)
  end
  return log_buffer, ask_buffer
end

---@param bufnr integer
function M.map_log(bufnr)
  local chat = require('quillon.chat')
  local function map(key, action, description)
    vim.keymap.set('n', key, action, { buffer = bufnr, desc = words.say(description) })
  end
  map('<C-c>', chat.stop, 'key_stop')
  map('ga', chat.apply_edit, 'key_apply')
  map('gx', function()
    if not chat.discard_edit() then
      M.open_link(bufnr)
    end
  end, 'key_discard')
  map('r', chat.edit_question, 'key_question')
  map('q', M.close, 'key_close')
  map('<CR>', M.follow, 'key_follow')
end

--- Do what `gx` does in other buffers, Neovim's own or the user's; the mapping here is away
--- meanwhile.
---@param bufnr integer
function M.open_link(bufnr)
  vim.keymap.del('n', 'gx', { buffer = bufnr })
  local done, problem = pcall(vim.cmd.normal, 'gx')
  M.map_log(bufnr)
  if not done then
    vim.notify(tostring(problem), vim.log.levels.ERROR)
  end
end

---@param bufnr integer
function M.map_ask(bufnr)
  local chat = require('quillon.chat')
  local function map(modes, key, action, description)
    vim.keymap.set(modes, key, action, { buffer = bufnr, desc = words.say(description) })
  end
  map('n', '<CR>', M.send, 'key_send')
  map({ 'n', 'i' }, '<C-s>', M.send, 'key_send')
  map('n', '<C-c>', chat.stop, 'key_stop')
  map('i', '<C-c>', function()
    if chat.is_running() then
      chat.stop()
    else
      vim.cmd.stopinsert()
    end
  end, 'key_stop')
  map('n', 'q', M.close, 'key_close')
end

--- Show both windows; the cursor goes to the question.
function M.open()
  local log, ask = M.buffers()
  if vim.fn.bufwinid(log) == -1 then
    local width =
      math.min(require('quillon.options').get().chat_width, math.floor(vim.o.columns / 2))
    vim.cmd(('botright vertical %dsplit'):format(width))
    vim.api.nvim_win_set_buf(0, log)
    M.dress_log(vim.api.nvim_get_current_win())
  end
  if vim.fn.bufwinid(ask) == -1 then
    vim.api.nvim_set_current_win(vim.fn.bufwinid(log))
    vim.cmd(('belowright %dsplit'):format(ASK_HEIGHT))
    vim.api.nvim_win_set_buf(0, ask)
    -- In a narrow window its end is left out, not its beginning.
    vim.wo.winbar = words.say('ask_bar')
    vim.wo.winfixheight = true
    vim.wo.number = false
    vim.wo.relativenumber = false
  end
  vim.api.nvim_set_current_win(vim.fn.bufwinid(ask))
end

---@param window integer
function M.dress_log(window)
  local options = {
    wrap = true,
    linebreak = true,
    number = false,
    relativenumber = false,
    foldmethod = 'expr',
    foldexpr = "v:lua.require'quillon.chat.window'.fold(v:lnum)",
    foldtext = 'getline(v:foldstart)',
    foldlevel = 0,
    fillchars = 'fold: ',
    winbar = 'Quillon',
  }
  for name, value in pairs(options) do
    vim.api.nvim_set_option_value(name, value, { win = window, scope = 'local' })
  end
end

function M.close()
  for _, bufnr in ipairs({ M.buffers() }) do
    local window = vim.fn.bufwinid(bufnr)
    if window ~= -1 and #vim.api.nvim_list_wins() > 1 then
      vim.api.nvim_win_close(window, true)
    end
  end
end

---@param row integer
---@return string
function M.fold(row)
  return require('quillon.chat.lines').fold_level(vim.fn.getline(row))
end

--- Put lines into the transcript's buffer; only what differs is touched, so that opened folds stay.
---@param lines string[]
function M.draw(lines)
  local log = M.buffers()
  local before = vim.api.nvim_buf_get_lines(log, 0, -1, false)
  local same = 0
  while same < #before and same < #lines and before[same + 1] == lines[same + 1] do
    same = same + 1
  end
  if same == #before and same == #lines then
    return
  end
  local follow = M.at_end(log)
  vim.bo[log].modifiable = true
  vim.api.nvim_buf_set_lines(log, same, -1, false, vim.list_slice(lines, same + 1))
  vim.bo[log].modifiable = false
  for _, window in ipairs(follow) do
    vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(log), 0 })
  end
end

--- The windows whose cursor is at the end of a buffer: they follow what is added.
---@param bufnr integer
---@return integer[]
function M.at_end(bufnr)
  local last = vim.api.nvim_buf_line_count(bufnr)
  return vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_cursor(window)[1] == last
  end, vim.fn.win_findbuf(bufnr))
end

--- Send what is written and clear it.
function M.send()
  local _, ask = M.buffers()
  local text = vim.trim(table.concat(vim.api.nvim_buf_get_lines(ask, 0, -1, false), '\n'))
  if text == '' or require('quillon.chat').is_running() then
    return
  end
  if require('quillon.chat').ask(text, { resend = true }) then
    vim.api.nvim_buf_set_lines(ask, 0, -1, false, {})
  end
end

--- Put a question where it can be written on, the cursor with it.
---@param text string
function M.write(text)
  M.open()
  local _, ask = M.buffers()
  vim.api.nvim_buf_set_lines(ask, 0, -1, false, vim.split(text, '\n'))
end

--- A window for a file: that of the buffer which questions are about, else another that shows a
--- file, else a new one beside the chat.
---@return integer
local function file_window()
  local source = require('quillon.chat').source()
  local window = source and vim.fn.bufwinid(source) or -1
  if window ~= -1 then
    return window
  end
  for _, other in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    local floats = vim.api.nvim_win_get_config(other).relative ~= ''
    if not floats and vim.bo[vim.api.nvim_win_get_buf(other)].buftype == '' then
      return other
    end
  end
  vim.cmd('topleft vsplit')
  return vim.api.nvim_get_current_win()
end

--- Open the `path:line` under the cursor in a window of a file.
function M.follow()
  local path, line = vim.fn.expand('<cWORD>'):match('([%w_./-]+%.%w+):(%d+)')
  if not path then
    vim.notify(words.say('no_place'))
    return
  end
  local file = vim.fs.joinpath(require('quillon.chat').root(), path)
  if not vim.uv.fs_stat(file) then
    vim.notify(words.say('no_file', file), vim.log.levels.WARN)
    return
  end
  vim.api.nvim_set_current_win(file_window())
  vim.cmd("normal! m'")
  -- Not `:edit`, which refuses a buffer that is shown already and not saved.
  local bufnr = vim.fn.bufadd(file)
  vim.bo[bufnr].buflisted = true
  vim.api.nvim_win_set_buf(0, bufnr)
  pcall(vim.api.nvim_win_set_cursor, 0, { tonumber(line), 0 })
end

--- Completion of `@file` and `@symbol` in the question: an omnifunc.
---@param find integer
---@param base string
---@return integer|table
function M.complete(find, base)
  if find == 1 then
    local before = vim.api.nvim_get_current_line():sub(1, vim.api.nvim_win_get_cursor(0)[2])
    local start = before:match('.*()[@#]%S*$')
    return start and start - 1 or -3
  end
  if vim.startswith(base, '#') then
    return { '#selection' }
  end
  local chat = require('quillon.chat')
  local names = require('quillon.references').complete(base:sub(2), chat.root(), 50)
  local source = chat.source()
  if source then
    vim.list_extend(names, require('quillon.symbols').complete(base:sub(2), source, 20))
  end
  return vim.tbl_map(function(name)
    return '@' .. name
  end, names)
end

return M
