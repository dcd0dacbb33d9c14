--- The program that serves: what it is called, and whether it is there.
local M = {}

local told = false

--- The command of the configuration; nil where a function starts or reaches the server.
---@return string[]?
function M.command()
  local cmd = vim.lsp.config.quillon and vim.lsp.config.quillon.cmd
  if type(cmd) == 'function' then
    return nil
  end
  return cmd or { 'quillon', 'lsp' }
end

--- A sentence where the program is not there; nil where it is.
---@return string?
function M.missing()
  local cmd = M.command()
  if cmd and vim.fn.executable(cmd[1]) == 0 then
    return require('quillon.words').say('not_on_path', cmd[1])
  end
end

--- Say once that the program is missing: Neovim 0.12 only writes it to its log. Returns whether
--- there is nothing left to say.
---@return boolean
function M.tell()
  local problem = not told and vim.lsp.is_enabled and vim.lsp.is_enabled('quillon') and M.missing()
  if problem then
    told = true
    vim.notify(require('quillon.words').say('install', problem), vim.log.levels.WARN)
  end
  return told
end

return M
