--- `:checkhealth quillon`
local M = {}

local health = vim.health

local PATIENCE = 20000 -- milliseconds for a program that only tells its version
local INSTALL = 'Install the Python package quillon, or name the program: '
  .. "vim.lsp.config('quillon', { cmd = { '/path/to/python', '-I', '-m', 'quillon', 'lsp' } })"

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

--- The command that tells the version of a server's program; nil where it is started another way.
---@param cmd string[]
---@return string[]?
function M.version_command(cmd)
  for index, word in ipairs(cmd) do
    if word == 'lsp' and index > 1 then
      return vim.list_extend(vim.list_slice(cmd, 1, index - 1), { '--version' })
    end
  end
end

---@param text? string
---@return string
local function last_line(text)
  local rows = vim.split(vim.trim(text or ''), '\n')
  return rows[#rows]:sub(1, 300)
end

--- Start the program and see whether it is Quillon.
---@param cmd string[]
local function check_version(cmd)
  local words = M.version_command(cmd)
  if not words then
    return
  end
  local shown = table.concat(words, ' ')
  local started, process = pcall(vim.system, words, { text = true, timeout = PATIENCE })
  if not started then
    health.error(('%s cannot be started: %s'):format(shown, process), INSTALL)
    return
  end
  local done = process:wait()
  local version = (done.stdout or ''):match('^quillon (%S+)')
  if done.code == 124 then
    health.error(('%s did not answer in %d seconds'):format(shown, PATIENCE / 1000), INSTALL)
  elseif done.code ~= 0 then
    health.error(('%s failed: %s'):format(shown, last_line(done.stderr)), INSTALL)
  elseif not version then
    health.error(('%s is not Quillon: it says %s'):format(shown, last_line(done.stdout)), INSTALL)
  else
    health.ok('it is Quillon ' .. version)
  end
end

local function check_program()
  health.start('The server')
  local cmd, missing = require('quillon.program').command(), require('quillon.program').missing()
  if not cmd then
    health.info('started by a function of your configuration')
  elseif missing then
    health.error(missing, INSTALL)
  else
    health.ok('program: ' .. vim.fn.exepath(cmd[1]))
    check_version(cmd)
  end
  if vim.lsp.is_enabled and not vim.lsp.is_enabled('quillon') then
    health.warn('not enabled', "Call vim.lsp.enable('quillon') in your configuration.")
  end
end

--- Why the buffer that was current before this report has no server.
local function check_buffer()
  local bufnr = vim.fn.bufnr('#')
  if bufnr == -1 or not vim.api.nvim_buf_is_valid(bufnr) then
    return
  end
  local reason = require('quillon.buffer').reason(bufnr)
  if reason then
    health.info(('%s is left alone: %s'):format(vim.fn.bufname(bufnr), reason))
  end
end

local function check_client()
  local client = require('quillon.client').get()
  local crash = require('quillon.restart').last()
  if crash then
    health.warn('the server stopped: ' .. crash, ':Quillon log says why; :Quillon restart.')
  end
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
    health.error(
      response and response.err.message or 'The server does not answer.',
      ':Quillon restart starts it again; :Quillon log says what it did.'
    )
    return
  end
  M.check_model(response.result)
end

---@param status quillon.Status
function M.check_model(status)
  for _, line in ipairs(require('quillon.status').describe(status)) do
    health.info(line)
  end
  if status.state == 'failed' then
    health.error('The model does not run.', 'Run `quillon doctor` in a terminal.')
  elseif status.state == 'absent' then
    health.info('The model is loaded when it is first needed.')
  elseif status.embedded == true then
    health.info(
      'The embedded model only shows how things work. `quillon model list` in a terminal names '
        .. 'better ones, and `quillon model pull NAME` downloads one.'
    )
  end
end

function M.check()
  check_neovim()
  check_program()
  check_buffer()
  check_client()
  health.info('log: ' .. require('quillon.command').log_file())
end

return M
