--- `:checkhealth quillon`
local words = require('quillon.words')

local M = {}

local say = words.say
local health = vim.health

local PATIENCE = 20000 -- milliseconds for a program that only tells its version
local CMD =
  "vim.lsp.config('quillon', { cmd = { '/path/to/python', '-I', '-m', 'quillon', 'lsp' } })"

local function check_neovim()
  health.start('Neovim')
  if vim.fn.has('nvim-0.11') == 0 then
    health.error(say('health_old'), say('health_update'))
  elseif not require('quillon.inline').available() then
    health.warn(say('health_no_inline'), say('health_rest_works'))
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
  local command = M.version_command(cmd)
  if not command then
    return
  end
  local shown, install = table.concat(command, ' '), say('health_install', CMD)
  local started, process = pcall(vim.system, command, { text = true, timeout = PATIENCE })
  if not started then
    health.error(say('health_not_started', shown, process), install)
    return
  end
  local done = process:wait()
  local version = (done.stdout or ''):match('^quillon (%S+)')
  if done.code == 124 then
    health.error(say('health_no_version', shown, PATIENCE / 1000), install)
  elseif done.code ~= 0 then
    health.error(say('health_program_failed', shown, last_line(done.stderr)), install)
  elseif not version then
    health.error(say('health_not_quillon', shown, last_line(done.stdout)), install)
  else
    health.ok(say('health_version', version))
  end
end

local function check_program()
  health.start(say('health_server'))
  local cmd, missing = require('quillon.program').command(), require('quillon.program').missing()
  if not cmd then
    health.info(say('health_function'))
  elseif missing then
    health.error(missing, say('health_install', CMD))
  else
    health.ok(say('health_program', vim.fn.exepath(cmd[1])))
    check_version(cmd)
  end
  if vim.lsp.is_enabled and not vim.lsp.is_enabled('quillon') then
    health.warn(say('health_not_enabled'), say('health_enable'))
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
    health.info(say('health_left_alone', vim.fn.bufname(bufnr), reason))
  end
end

local function check_client()
  local client = require('quillon.client').get()
  local crash = require('quillon.restart').last()
  if crash then
    health.warn(say('health_stopped', crash), say('health_log_says'))
  end
  if not client then
    local starting = require('quillon.client').starting()
    health.warn(say('health_not_running'), say(starting and 'starting' or 'health_open_file'))
    return
  end
  local info = client.server_info or {}
  health.ok(say('health_running', info.name or '', info.version or '', client.root_dir or ''))
  local response = client:request_sync('quillon/status/get', vim.empty_dict(), 10000)
  if not response or response.err then
    health.error(response and response.err.message or say('health_silent'), say('health_restart'))
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
    health.error(say('health_model_failed'), say('health_doctor'))
  elseif status.state == 'absent' then
    health.info(say('health_model_absent'))
  elseif status.embedded == true then
    health.info(say('health_embedded'))
  end
end

function M.check()
  check_neovim()
  check_program()
  check_buffer()
  check_client()
  health.info(say('health_log', require('quillon.command').log_file()))
end

return M
