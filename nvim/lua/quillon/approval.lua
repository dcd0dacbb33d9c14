--- Asks whether a call may run, showing exactly what will.
local words = require('quillon.words')

local M = {}

---@class quillon.ApproveParams
---@field callId string
---@field tool string
---@field arguments table<string, any>
---@field reason string
---@field preview? string

---@type table<string, fun(result: table)> questions that wait, by the id of their call
local waiting = {}

local CHOICES = {
  { decision = 'once', key = 'allow_once' },
  { decision = 'session', key = 'allow_session' },
  { decision = 'deny', key = 'deny' },
}

--- Wait for the user's decision. Runs in the coroutine that Neovim gives to a server's request.
---@param params quillon.ApproveParams
---@return table result `{ decision, reason? }`
function M.ask(params)
  local running, main = coroutine.running()
  if not running or main or not require('quillon.chat').is_running() then
    return { decision = 'deny', reason = 'nobody could be asked' }
  end
  local preview = params.preview or (params.tool .. ' ' .. vim.json.encode(params.arguments))
  require('quillon.chat').approval(params, preview)
  waiting[params.callId] = function(result)
    coroutine.resume(running, result)
  end
  local changes = require('quillon.chat.lines').is_diff(preview)
  local question = words.say(changes and 'approve_change' or 'approve_run')
  local prompt = ('%s\n%s\n%s\n'):format(question, preview, params.reason)
  vim.ui.select(CHOICES, {
    prompt = prompt,
    kind = 'quillon_approve',
    format_item = function(choice)
      return words.say(choice.key)
    end,
  }, function(choice)
    M.settle(params.callId, choice and choice.decision or 'deny')
  end)
  return coroutine.yield()
end

--- Answer a question that waits; one that was answered already is left alone.
---@param id string
---@param decision 'once'|'session'|'deny'
function M.settle(id, decision)
  local answer = waiting[id]
  waiting[id] = nil
  if answer then
    -- Scheduled, because a select that answers at once would resume what has not yielded yet.
    vim.schedule(function()
      answer({ decision = decision })
    end)
  end
end

--- Deny everything that waits: the turn is over.
function M.deny_all()
  for _, id in ipairs(vim.tbl_keys(waiting)) do
    M.settle(id, 'deny')
  end
end

return M
