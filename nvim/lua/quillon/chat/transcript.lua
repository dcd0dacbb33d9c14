--- What the chat shows, as values: turns of a question and an answer made of blocks. No editor here.
local words = require('quillon.words')

local M = {}

---@class quillon.ToolBlock
---@field kind 'tool'
---@field id string
---@field name string
---@field arguments table<string, any>
---@field state string
---@field ok? boolean
---@field preview? string
---@field asked? string what will run, while the user is asked

---@class quillon.TextBlock
---@field kind 'text'|'notice'
---@field text string

---@class quillon.EditBlock
---@field kind 'edit'
---@field id string
---@field label string
---@field edit table
---@field files table[] what the edit was made for, as the server wants it back
---@field state 'proposed'|'applied'|'discarded'

---@alias quillon.Block quillon.ToolBlock|quillon.TextBlock|quillon.EditBlock

---@class quillon.Turn
---@field question string
---@field blocks quillon.Block[]
---@field outcome? string a line about how it ended; nil while it streams

---@class quillon.Transcript
---@field turns quillon.Turn[]

---@return quillon.Transcript
function M.new()
  return { turns = {} }
end

---@param transcript quillon.Transcript
---@param question string
function M.ask(transcript, question)
  table.insert(transcript.turns, { question = question, blocks = {} })
end

---@param transcript quillon.Transcript
---@return quillon.Turn?
function M.streaming(transcript)
  local last = transcript.turns[#transcript.turns]
  return last and not last.outcome and last or nil
end

---@param turn quillon.Turn
---@param id string
---@return quillon.ToolBlock
local function tool(turn, id)
  for _, block in ipairs(turn.blocks) do
    if block.kind == 'tool' and block.id == id then
      return block
    end
  end
  local fresh = { kind = 'tool', id = id, name = '', arguments = {}, state = 'proposed' }
  table.insert(turn.blocks, fresh)
  return fresh
end

local advance = {}

function advance.text(turn, value)
  local last = turn.blocks[#turn.blocks]
  if last and last.kind == 'text' then
    last.text = last.text .. value.text
  else
    table.insert(turn.blocks, { kind = 'text', text = value.text })
  end
end

function advance.notice(turn, value)
  table.insert(turn.blocks, { kind = 'notice', text = value.text })
end

function advance.toolCall(turn, value)
  local block = tool(turn, value.id)
  block.name, block.arguments, block.state = value.name, value.arguments, value.state
  block.asked = value.state == 'proposed' and block.asked or nil
end

function advance.toolResult(turn, value)
  local block = tool(turn, value.id)
  block.ok, block.preview = value.ok, value.preview
end

function advance.edit(turn, value)
  table.insert(turn.blocks, {
    kind = 'edit',
    id = value.id,
    label = value.label,
    edit = value.edit,
    files = value.files or {},
    state = 'proposed',
  })
end

--- Take one piece of the stream; what comes after the end of a turn is dropped.
---@param transcript quillon.Transcript
---@param value table
function M.progress(transcript, value)
  local turn = M.streaming(transcript)
  local take = turn and advance[value.kind]
  if take then
    take(turn, value)
  end
end

--- The user is asked whether a call may run.
---@param transcript quillon.Transcript
---@param params quillon.ApproveParams
---@param preview string
function M.approval(transcript, params, preview)
  local turn = M.streaming(transcript)
  if turn then
    local block = tool(turn, params.callId)
    block.name, block.arguments, block.asked = params.tool, params.arguments, preview
  end
end

--- The turn is over. A server that streamed nothing still gave its answer with the result.
---@param transcript quillon.Transcript
---@param result table the server's `ChatResult`
function M.finish(transcript, result)
  local turn = M.streaming(transcript)
  if not turn then
    return
  end
  local said = vim.iter(turn.blocks):any(function(block)
    return block.kind == 'text'
  end)
  if not said and result.text ~= '' then
    advance.text(turn, { text = result.text })
  end
  local usage = result.usage
  local tokens = words.say('tokens', usage.promptTokens, usage.cachedTokens, usage.completionTokens)
  local speed = usage.tokensPerSecond > 0 and words.say('speed', usage.tokensPerSecond) or ''
  local reason = words.state('end_', result.finishReason) or ''
  M.close(turn, vim.trim(reason .. ' ' .. tokens .. speed))
end

--- The turn is over without a result.
---@param transcript quillon.Transcript
---@param reason string
function M.fail(transcript, reason)
  local turn = M.streaming(transcript)
  if turn then
    M.close(turn, reason)
  end
end

--- Calls that were open when the turn ended will never run.
---@param turn quillon.Turn
---@param outcome string
function M.close(turn, outcome)
  turn.outcome = outcome
  for _, block in ipairs(turn.blocks) do
    if block.kind == 'tool' then
      block.asked = nil
      block.state = ({ proposed = 'denied', running = 'failed' })[block.state] or block.state
    end
  end
end

--- Drop all turns but the first so many.
---@param transcript quillon.Transcript
---@param count integer
function M.keep(transcript, count)
  transcript.turns = vim.list_slice(transcript.turns, 1, count)
end

--- How many of the first `count` turns a server has stored, which has these messages.
---@param transcript quillon.Transcript
---@param count integer
---@param messages table[] the server's `ConversationMessage`s
---@return integer
function M.stored(transcript, count, messages)
  local questions = vim.tbl_filter(function(message)
    return message.role == 'user'
  end, messages)
  local found = 0
  for _, turn in ipairs(vim.list_slice(transcript.turns, 1, count)) do
    local next_one = questions[found + 1]
    if next_one and vim.trim(next_one.text or '') == vim.trim(turn.question) then
      found = found + 1
    end
  end
  return found
end

--- A stored conversation as a transcript.
---@param messages table[] the server's `ConversationMessage`s
---@return quillon.Transcript
function M.open(messages)
  local transcript = M.new()
  local turn ---@type quillon.Turn?
  for _, message in ipairs(messages) do
    if message.role == 'user' then
      turn = { question = message.text or '', blocks = {}, outcome = '' }
      table.insert(transcript.turns, turn)
    elseif turn and message.role == 'tool' then
      local block = tool(turn, message.toolCallId)
      block.ok, block.preview = message.ok ~= false, message.text
    elseif turn then
      if message.text and message.text ~= '' then
        advance.text(turn, message)
      end
      for _, call in ipairs(message.toolCalls or {}) do
        advance.toolCall(turn, call)
      end
    end
  end
  return transcript
end

return M
