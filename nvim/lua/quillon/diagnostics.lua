--- Tells the server what others reported: a language server sees only its own diagnostics.
local M = {}

local QUIET = 300

local timers = {} ---@type table<integer, uv.uv_timer_t>

--- Send a buffer's diagnostics after a quiet moment.
---@param bufnr integer
function M.changed(bufnr)
  local client = vim.lsp.get_clients({ name = 'quillon', bufnr = bufnr })[1]
  if not client or timers[bufnr] then
    return
  end
  timers[bufnr] = vim.defer_fn(function()
    timers[bufnr] = nil
    if vim.api.nvim_buf_is_loaded(bufnr) and not client:is_stopped() then
      M.send(client, bufnr)
    end
  end, QUIET)
end

---@param client vim.lsp.Client
---@param bufnr integer
function M.send(client, bufnr)
  local rows = vim.tbl_map(function(diagnostic)
    return M.to_lsp(diagnostic, bufnr, client.offset_encoding)
  end, vim.diagnostic.get(bufnr))
  client:notify('quillon/diagnostics', { uri = vim.uri_from_bufnr(bufnr), diagnostics = rows })
end

--- A diagnostic of Neovim, whose columns are bytes, in the client's positions.
---@param diagnostic vim.Diagnostic
---@param bufnr integer
---@param encoding string
---@return table
function M.to_lsp(diagnostic, bufnr, encoding)
  local function position(row, column)
    local line = vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ''
    return { line = row, character = vim.str_utfindex(line, encoding, math.min(column, #line)) }
  end
  local row, column = diagnostic.lnum, diagnostic.col
  return {
    range = {
      start = position(row, column),
      ['end'] = position(diagnostic.end_lnum or row, diagnostic.end_col or column),
    },
    message = diagnostic.message,
    severity = diagnostic.severity,
    source = diagnostic.source,
    code = diagnostic.code,
  }
end

return M
