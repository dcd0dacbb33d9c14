--- Starts a crashed server again, more slowly each time, and gives up with a sentence.
local words = require('quillon.words')

local M = {}

local DELAYS = { 500, 1000, 2000, 4000, 8000 }
local WINDOW = 3 * 60 * 1000
local TERMINATED = 15

local crashes = {} ---@type integer[]
local last_crash ---@type string?
local planned = false

--- How the server ended last, if that was not on purpose.
---@return string?
function M.last()
  return last_crash
end

--- Whether a server that crashed is about to be started again.
---@return boolean
function M.planned()
  return planned
end

--- Milliseconds until the next start; nil when it crashed too often in the last three minutes.
---@param now integer
---@return integer?
function M.delay(now)
  crashes = vim.tbl_filter(function(time)
    return now - time < WINDOW
  end, crashes)
  table.insert(crashes, now)
  return DELAYS[#crashes]
end

--- Called when a server's process has ended.
---@param code integer
---@param signal integer
---@param client_id integer
function M.exited(code, signal, client_id)
  require('quillon.chat').lost(client_id)
  if signal == TERMINATED or (code == 0 and signal == 0) or vim.v.exiting ~= vim.NIL then
    return
  end
  local delay = M.delay(vim.uv.now())
  local reason = signal ~= 0 and words.say('signal', signal) or words.say('exit_status', code)
  last_crash = words.say('crashed_at', reason, os.date('%H:%M:%S'))
  if not delay then
    vim.notify(words.say('keeps_stopping', reason), vim.log.levels.ERROR)
    return
  end
  planned = true
  vim.defer_fn(M.start, delay)
end

--- Attach again to every buffer that has a file.
function M.start()
  planned = false
  if vim.lsp.is_enabled and not vim.lsp.is_enabled('quillon') then
    return
  end
  vim.lsp.enable('quillon')
end

--- Stop the server and start it again.
function M.restart()
  crashes, last_crash = {}, nil
  for _, client in ipairs(vim.lsp.get_clients({ name = 'quillon' })) do
    client:stop()
  end
  local function gone()
    return #vim.lsp.get_clients({ name = 'quillon' }) == 0
  end
  if not vim.wait(5000, gone, 20) then
    for _, client in ipairs(vim.lsp.get_clients({ name = 'quillon' })) do
      client:stop(true)
    end
    vim.wait(1000, gone, 20)
  end
  M.start()
end

return M
