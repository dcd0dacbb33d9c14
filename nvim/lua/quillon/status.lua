--- The state of the engine, for a statusline and for `:Quillon status`.
local words = require('quillon.words')

local M = {}

---@class quillon.Status
---@field state 'absent'|'downloading'|'loading'|'ready'|'busy'|'failed'
---@field model string
---@field message string
---@field embedded boolean
---@field context integer
---@field tokensPerSecond number
---@field progress? number
---@field noSuggestion? string
---@field echoed boolean

local current ---@type quillon.Status?

---@param state string
---@return string
local function engine(state)
  return words.say('engine', words.state('engine_', state) or state)
end

--- Take over what the server says; redraws the statusline and fires `User QuillonStatus`.
---@param status quillon.Status
function M.update(status)
  current = vim.iter(status):fold({}, function(kept, name, value)
    kept[name] = value ~= vim.NIL and value or nil
    return kept
  end)
  vim.cmd.redrawstatus({ bang = true })
  vim.api.nvim_exec_autocmds('User', { pattern = 'QuillonStatus', modeline = false })
end

---@return quillon.Status?
function M.get()
  return current
end

--- A few words for a statusline: `%{v:lua.require'quillon.status'.line()}`.
---@return string
function M.line()
  if not require('quillon.client').get() then
    return ''
  end
  if require('quillon.inline').snoozed() then
    return words.say('silent')
  end
  if not current then
    return 'Quillon'
  end
  local percent = current.progress and (' %d%%'):format(math.floor(current.progress * 100)) or ''
  return engine(current.state) .. percent
end

--- Everything known, as lines for people.
---@param status quillon.Status
---@return string[]
function M.describe(status)
  local lines = { engine(status.state) }
  local function add(key, value)
    if value and value ~= vim.NIL and value ~= '' and value ~= 0 then
      table.insert(lines, key and words.say(key, value) or value)
    end
  end
  add('status_model', status.model)
  add('status_context', status.context)
  add('status_speed', status.tokensPerSecond)
  add(nil, status.message)
  add('status_no_suggestion', status.noSuggestion)
  add(nil, status.echoed and words.say('status_echoed') or '')
  return lines
end

--- Ask a server that has just been attached; later it tells by itself.
---@param client vim.lsp.Client
function M.refresh(client)
  client:request('quillon/status/get', vim.empty_dict(), function(_, status)
    if status then
      M.update(status)
    end
  end)
end

--- Ask the server and show the answer.
function M.show()
  require('quillon.client').ask('quillon/status/get', vim.empty_dict(), function(problem, status)
    if problem then
      vim.notify(problem, vim.log.levels.ERROR)
      return
    end
    M.update(status)
    vim.notify(table.concat(M.describe(status), '\n'))
  end)
end

return M
