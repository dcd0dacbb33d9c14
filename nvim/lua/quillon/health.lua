--- `:checkhealth quillon`
local M = {}

local health = vim.health

local function check_neovim()
  health.start('Neovim')
  if vim.fn.has('nvim-0.11') == 0 then
    health.error('Neovim 0.11 or newer is needed', 'Install a newer Neovim.')
  elseif not require('quillon.inline').available() then
    health.warn('No suggestions while typing: they need Neovim 0.12', 'Everything else works.')
  else
    health.ok('Neovim ' .. tostring(vim.version()))
  end
end

---@return string[]
local function command()
  local cmd = vim.lsp.config.quillon and vim.lsp.config.quillon.cmd
  return type(cmd) == 'table' and cmd or { 'quillon', 'lsp' }
end

local function check_program()
  health.start('The server')
  local program = command()[1]
  if vim.fn.executable(program) == 0 then
    health.error(
      ('%s is not an executable on the PATH'):format(program),
      "Install the Python package quillon, or name the program: vim.lsp.config('quillon', { cmd = ... })"
    )
    return
  end
  health.ok('program: ' .. vim.fn.exepath(program))
  if not (vim.lsp.is_enabled and vim.lsp.is_enabled('quillon')) then
    health.warn('not enabled', "Call vim.lsp.enable('quillon') in your configuration.")
  end
end

local function check_client()
  local client = require('quillon.client').get()
  if not client then
    health.warn('not running', 'Open a file of a project; then run this again.')
    return
  end
  local info = client.server_info or {}
  health.ok(
    ('running: %s %s in %s'):format(info.name or '', info.version or '', client.root_dir or '')
  )
  local response = client:request_sync('quillon/status/get', vim.empty_dict(), 10000)
  if not response or response.err then
    health.error(response and response.err.message or 'The server does not answer.')
    return
  end
  for _, line in ipairs(require('quillon.status').describe(response.result)) do
    health.info(line)
  end
  if response.result.state == 'failed' or response.result.state == 'absent' then
    health.error('The model does not run.', 'Run `quillon doctor` in a terminal.')
  end
end

function M.check()
  check_neovim()
  check_program()
  check_client()
  health.info('log: ' .. require('quillon.command').log_file())
end

return M
