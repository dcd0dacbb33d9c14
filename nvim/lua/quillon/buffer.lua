--- Which buffers Quillon works on, and what their project is.
local M = {}

local MARKERS = { '.git', 'pyproject.toml', 'package.json', 'Cargo.toml', 'go.mod', 'Makefile' }

local complained = {} ---@type table<integer, boolean>

--- The project of a buffer; nil for what is no file on this machine, or too large to send.
---@param bufnr integer
---@return string?
function M.root(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  if vim.bo[bufnr].buftype ~= '' or name == '' or name:match('^%a[%w+.-]+://') then
    return nil
  end
  if M.size(bufnr) > require('quillon.options').get().largest_file then
    if not complained[bufnr] then
      complained[bufnr] = true
      vim.notify('Quillon leaves this file alone: it is larger than the option largest_file.')
    end
    return nil
  end
  return vim.fs.root(bufnr, MARKERS) or vim.fs.dirname(name)
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
