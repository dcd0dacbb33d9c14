--- Which buffers Quillon works on, and what their project is.
local words = require('quillon.words')

local M = {}

local MARKERS = { '.git', 'pyproject.toml', 'package.json', 'Cargo.toml', 'go.mod', 'Makefile' }

local complained = {} ---@type table<integer, boolean>

--- Why a buffer is not sent to the server, as a key of the words; nil where it is.
---@param bufnr integer
---@return string?
local function obstacle(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  if vim.bo[bufnr].buftype ~= '' then
    return 'no_file_buffer'
  elseif name == '' then
    return 'no_name'
  elseif name:match('^%a[%w+.-]+://') then
    return 'not_here'
  elseif M.size(bufnr) > require('quillon.options').get().largest_file then
    return 'too_large'
  end
end

--- Why a buffer is not sent to the server, as a sentence; nil where it is.
---@param bufnr integer
---@return string?
function M.reason(bufnr)
  local key = obstacle(bufnr)
  return key and words.say(key)
end

--- The project of a buffer; nil for what is not sent to the server.
---@param bufnr integer
---@return string?
function M.root(bufnr)
  local key = obstacle(bufnr)
  if key == 'too_large' and not complained[bufnr] then
    complained[bufnr] = true
    vim.notify(words.say('left_alone', words.say(key)))
  end
  if not key then
    return vim.fs.root(bufnr, MARKERS) or vim.fs.dirname(vim.api.nvim_buf_get_name(bufnr))
  end
end

local nameless = {} ---@type table<integer, boolean> buffers that got a filetype before a name

--- A buffer got its filetype: this is when Neovim starts language servers for it, and without a name
--- there is no project to start one for.
---@param bufnr integer
function M.typed(bufnr)
  nameless[bufnr] = vim.api.nvim_buf_get_name(bufnr) == '' or nil
end

--- A buffer got a name: if only that was missing, its language servers are started now.
---@param bufnr integer
function M.named(bufnr)
  if not nameless[bufnr] or M.reason(bufnr) then
    return
  end
  nameless[bufnr] = nil
  if not vim.lsp.is_enabled or vim.lsp.is_enabled('quillon') then
    -- Without `vim.lsp.enable` there is no such group.
    pcall(vim.api.nvim_exec_autocmds, 'FileType', {
      group = 'nvim.lsp.enable',
      buffer = bufnr,
      modeline = false,
    })
  end
end

--- Bytes of a buffer's text.
---@param bufnr integer
---@return integer
function M.size(bufnr)
  if not vim.api.nvim_buf_is_loaded(bufnr) then
    return math.max(vim.fn.getfsize(vim.api.nvim_buf_get_name(bufnr)), 0)
  end
  return math.max(vim.api.nvim_buf_get_offset(bufnr, vim.api.nvim_buf_line_count(bufnr)), 0)
end

return M
