--- The stored conversations: chosen, renamed, deleted, exported.
local words = require('quillon.words')

local M = {}

---@class quillon.ConversationSummary
---@field conversationId string
---@field title string
---@field updated string
---@field turns integer

---@param problem string?
---@return boolean
local function failed(problem)
  if problem then
    vim.notify(problem, vim.log.levels.ERROR)
  end
  return problem ~= nil
end

--- A stored time as the user's clock shows it.
---@param updated string
---@return string
function M.when(updated)
  local year, month, day, hour, minute = updated:match('^(%d+)-(%d+)-(%d+)T(%d+):(%d+)')
  if not year then
    return updated
  end
  local utc = { year = tonumber(year), month = tonumber(month), day = tonumber(day), isdst = false }
  utc.hour, utc.min = tonumber(hour), tonumber(minute)
  local now = os.time()
  local ahead = os.difftime(now, os.time(os.date('!*t', now) --[[@as osdateparam]]))
  return os.date('%Y-%m-%d %H:%M', os.time(utc) + ahead) --[[@as string]]
end

--- Let the user choose one of the stored conversations.
---@param prompt string
---@param done fun(row: quillon.ConversationSummary)
local function select(prompt, done)
  require('quillon.client').ask('quillon/conversations/list', { query = '' }, function(err, rows)
    if failed(err) then
      return
    end
    if not rows or #rows == 0 then
      vim.notify(words.say('none_stored'))
      return
    end
    vim.ui.select(rows, {
      prompt = prompt,
      kind = 'quillon_conversation',
      format_item = function(row)
        return ('%s (%s)'):format(row.title, M.when(row.updated))
      end,
    }, function(row)
      if row then
        done(row)
      end
    end)
  end)
end

--- Choose a stored conversation and open it.
function M.choose()
  select(words.say('conversations'), function(row)
    M.load(row.conversationId)
  end)
end

---@param id string
function M.load(id)
  local params = { conversationId = id }
  require('quillon.client').ask('quillon/conversations/get', params, function(problem, stored)
    if not failed(problem) then
      require('quillon.chat').show(id, stored.messages)
    end
  end)
end

--- The conversation that is shown; nil, and a sentence, when there is none yet.
---@return string?
local function shown()
  local id = require('quillon.chat').conversation()
  if not id then
    vim.notify(words.say('no_conversation'))
  end
  return id
end

--- Give the conversation that is shown another title, which is asked for where none is given.
---@param title string
function M.rename(title)
  local id = shown()
  if not id then
    return
  end
  local function rename(wanted)
    wanted = vim.trim(wanted or '')
    if wanted == '' then
      return
    end
    local params = { conversationId = id, title = wanted }
    require('quillon.client').ask('quillon/conversations/rename', params, function(problem)
      if not failed(problem) then
        vim.notify(words.say('renamed', wanted))
      end
    end)
  end
  if title ~= '' then
    rename(title)
  else
    vim.ui.input({ prompt = words.say('title') }, rename)
  end
end

--- Choose a stored conversation and delete it, once the user says so again.
function M.delete()
  select(words.say('delete_which'), function(row)
    local question = words.say('delete_sure', row.title)
    vim.ui.select({ 'delete', 'keep' }, {
      prompt = question,
      format_item = words.say,
    }, function(choice)
      if choice ~= 'delete' then
        return
      end
      local params = { conversationId = row.conversationId }
      require('quillon.client').ask('quillon/conversations/delete', params, function(problem)
        if not failed(problem) and require('quillon.chat').conversation() == row.conversationId then
          require('quillon.chat').start_new()
        end
      end)
    end)
  end)
end

--- Open the conversation that is shown as Markdown, in a buffer to be saved.
function M.export()
  local id = shown()
  if not id then
    return
  end
  local params = { conversationId = id }
  require('quillon.client').ask('quillon/conversations/export', params, function(problem, result)
    if failed(problem) then
      return
    end
    vim.cmd.tabnew()
    vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(result.markdown, '\n'))
    vim.bo.filetype = 'markdown'
  end)
end

return M
