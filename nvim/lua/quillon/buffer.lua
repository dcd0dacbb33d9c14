--- Which buffers Quillon works on, and what their project is.
local M = {}

local MARKERS = { '.git', 'pyproject.toml', 'package.json', 'Cargo.toml', 'go.mod', 'Makefile' }

local complained = {} ---@type table<integer, boolean>

local TOO_LARGE = 'it is larger than the option largest_file.'

--- Why a buffer is not sent to the server; nil where it is.
---@param bufnr integer
---@return string?
function M.reason(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  if vim.bo[bufnr].buftype ~= '' then
    return 'it is no buffer of a file.'
  elseif name == '' then
    return 'it has no name yet; save it.'
  elseif name:match('^%a[%w+.-]+://') then
    return 'it is no file on this machine.'
  elseif M.size(bufnr) > require('quillon.options').get().largest_file then
    return TOO_LARGE
  end
end

--- The project of a buffer; nil for what is not sent to the server.
---@param bufnr integer
---@return string?
function M.root(bufnr)
  local reason = M.reason(bufnr)
  if reason == TOO_LARGE and not complained[bufnr] then
    complained[bufnr] = true
    vim.notify('Quillon leaves this file alone: ' .. reason)
  end
  if not reason then
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
