--- The chat: one conversation, asked turn by turn.
local lines = require('quillon.chat.lines')
local transcript = require('quillon.chat.transcript')
local words = require('quillon.words')

local M = {}

local CANCELLED = -32800
local FRAME = 30 -- milliseconds between two drawings of a stream

---@class quillon.Running
---@field client_id? integer nil while the question waits for a server that starts
---@field request? integer
---@field token string

local current = transcript.new()
local conversation ---@type string?
local running ---@type quillon.Running?
local source ---@type integer? the buffer that questions are about
local planned = false
local count = 0
local replacing ---@type integer? the turn that the next question replaces

---@class quillon.AskOptions
---@field references? quillon.Reference[]
---@field client_id? integer
---@field fresh? boolean start a new conversation
---@field resend? boolean replace the turn whose question was taken up again, where one was

--- Questions are about the buffer that is current, if that is one of a file.
local function look()
  local bufnr = vim.api.nvim_get_current_buf()
  if vim.bo[bufnr].buftype == '' then
    source = bufnr
  end
end

--- Show the chat.
function M.open()
  look()
  require('quillon.chat.window').open()
  M.draw()
end

---@return boolean
function M.is_running()
  return running ~= nil
end

--- The folder that names in questions and answers are relative to.
---@return string
function M.root()
  local client = require('quillon.client').get(source)
  return client and client.root_dir or vim.fn.getcwd()
end

--- Ask one question; false when it could not be sent. A server that starts is waited for.
---@param text string
---@param options? quillon.AskOptions
---@return boolean
function M.ask(text, options)
  options = options or {}
  look()
  local server = require('quillon.client')
  local client = options.client_id and vim.lsp.get_client_by_id(options.client_id)
  local waits = not client and server.comes(M.source())
  client = client or not waits and server.need(M.source()) or nil
  if not client and not waits then
    return false
  end
  if running then
    vim.notify(words.say('still_answers'))
    return false
  end
  if options.fresh then
    M.start_new()
  end
  M.open()
  local turn = options.resend and replacing or nil
  replacing = nil
  local function begin(found)
    if turn and turn <= #current.turns then
      M.replace(found, turn, text)
      return true
    end
    return M.send(found, text, options.references or {})
  end
  if client then
    return begin(client)
  end
  M.wait(text, begin)
  return true
end

--- Show a question that waits for the server, and ask it then.
---@param text string
---@param begin fun(client: vim.lsp.Client)
function M.wait(text, begin)
  local mine = { token = '' }
  running = mine
  transcript.ask(current, text)
  transcript.progress(current, { kind = 'notice', text = words.say('waits_for_server') })
  M.draw()
  require('quillon.client').await(M.source(), function()
    return running == mine
  end, function(client)
    if not client then
      transcript.fail(current, words.say('not_started'))
      M.settle()
      return
    end
    running = nil
    transcript.keep(current, #current.turns - 1)
    begin(client)
  end)
end

--- Ask a question in the place of a turn. The server says which turns it has stored: a question
--- that failed may never have got there.
---@param client vim.lsp.Client
---@param turn integer
---@param text string
function M.replace(client, turn, text)
  local id, shown = conversation, current
  if not id then
    transcript.keep(current, turn - 1)
    M.send(client, text, {})
    return
  end
  client:request('quillon/conversations/get', { conversationId = id }, function(err, stored)
    if running or conversation ~= id or current ~= shown then
      return
    end
    if err or not stored then
      vim.notify(err and err.message or words.say('no_answer'), vim.log.levels.ERROR)
      require('quillon.chat.window').write(text)
      replacing = turn
      return
    end
    local kept = transcript.stored(current, turn - 1, stored.messages)
    transcript.keep(current, turn - 1)
    M.send(client, text, {}, kept)
  end)
end

---@param client vim.lsp.Client
---@param text string
---@param references quillon.Reference[]
---@param kept? integer turns of the stored conversation that stay
---@return boolean
function M.send(client, text, references, kept)
  local about = M.source()
  local selection = about and require('quillon.references').selection(about)
  local found, problems = require('quillon.references').resolve(text, M.root(), selection, about)
  transcript.ask(current, text)
  for _, problem in ipairs(problems) do
    transcript.progress(current, { kind = 'notice', text = problem })
  end
  count = count + 1
  local mine =
    { client_id = client.id, token = ('quillon-chat-%d-%d'):format(vim.uv.os_getpid(), count) }
  running = mine
  local sent, request = client:request('quillon/chat', {
    text = text,
    conversationId = conversation,
    keepTurns = kept,
    references = vim.list_extend(vim.deepcopy(references), found),
    partialResultToken = mine.token,
  }, function(err, result)
    M.ended(mine, err, result)
  end)
  mine.request = request
  if not sent then
    M.lost(client.id)
  end
  M.draw()
  return sent
end

--- A piece of the stream; false when the token is not this chat's.
---@param token any
---@param value table
---@return boolean
function M.progress(token, value)
  if type(token) ~= 'string' or not vim.startswith(token, 'quillon-chat-') then
    return false
  end
  if running and running.token == token then
    if value.kind == 'conversation' then
      conversation = value.conversationId
    end
    transcript.progress(current, value)
    M.plan()
  end
  return true
end

---@param params quillon.ApproveParams
---@param preview string
function M.approval(params, preview)
  transcript.approval(current, params, preview)
  M.draw()
  vim.cmd.redraw()
end

---@param mine quillon.Running
---@param err? lsp.ResponseError
---@param result? table
function M.ended(mine, err, result)
  if running ~= mine then
    return
  end
  if result then
    conversation = result.conversationId
    transcript.finish(current, result)
  elseif err and err.code == CANCELLED then
    transcript.fail(current, words.state('end_', 'cancelled'))
  else
    transcript.fail(current, err and err.message or words.say('no_answer'))
  end
  M.settle()
end

function M.settle()
  running = nil
  require('quillon.approval').deny_all()
  M.draw()
  vim.api.nvim_exec_autocmds('User', { pattern = 'QuillonAnswer', modeline = false })
end

--- The server of a turn is gone.
---@param client_id integer
function M.lost(client_id)
  if running and running.client_id == client_id then
    transcript.fail(current, words.say('server_stopped'))
    M.settle()
  end
end

--- Stop the answer that streams.
function M.stop()
  local mine = running
  local client = mine and mine.client_id and vim.lsp.get_client_by_id(mine.client_id)
  if not mine or (mine.client_id and not client) then
    vim.notify(words.say('answers_nothing'))
    return
  end
  require('quillon.approval').deny_all()
  if client and mine.request then
    client:cancel_request(mine.request)
  end
  -- Neovim keeps the answer to a cancelled request to itself.
  M.ended(mine, { code = CANCELLED, message = '' })
end

--- Begin a new conversation; the old one is stored by the server.
function M.start_new()
  if running then
    M.stop()
  end
  current, conversation, replacing = transcript.new(), nil, nil
  M.draw()
end

--- Show a stored conversation and go on with it.
---@param id string
---@param messages table[]
function M.show(id, messages)
  M.start_new()
  current, conversation = transcript.open(messages), id
  M.open()
end

--- The conversation that is shown; nil before its first question.
---@return string?
function M.conversation()
  return conversation
end

--- The buffer that questions are about.
---@return integer?
function M.source()
  return source and vim.api.nvim_buf_is_valid(source) and source or nil
end

--- Take the question under the cursor up again: sent, it replaces its turn and what followed.
function M.edit_question()
  if running then
    vim.notify(words.say('still_answers'))
    return
  end
  local row = vim.api.nvim_win_get_cursor(0)[1]
  local index = lines.turn_at(current, row)
  if index then
    replacing = index
    require('quillon.chat.window').write(current.turns[index].question)
  end
end

--- Draw soon: a stream of pieces is drawn a few times a second.
function M.plan()
  if planned then
    return
  end
  planned = true
  vim.defer_fn(function()
    planned = false
    M.draw()
  end, FRAME)
end

function M.draw()
  require('quillon.chat.window').draw(lines.of(current))
end

---@return quillon.EditBlock?
local function edit_under_cursor()
  return lines.edit_at(current, vim.api.nvim_win_get_cursor(0)[1])
end

--- Apply the edit under the cursor; one that is no longer about the texts it was made for is
--- refused: the server knows about files on disk, Neovim about buffers.
function M.apply_edit()
  local block = edit_under_cursor()
  if not block or block.state ~= 'proposed' then
    return
  end
  local client = require('quillon.client').need(source)
  if not client then
    return
  end
  client:request('quillon/edit/check', { files = block.files }, function(err)
    local stale = require('quillon.edit').stale(block.edit)
    if err or stale then
      vim.notify(err and err.message or words.say('has_changed', stale))
    elseif block.state == 'proposed' then
      local edit = require('quillon.edit').confirmed(block.edit)
      vim.lsp.util.apply_workspace_edit(edit, client.offset_encoding)
      block.state = 'applied'
      M.draw()
    end
  end)
end

--- Discard the edit under the cursor; false where there is none.
---@return boolean
function M.discard_edit()
  local block = edit_under_cursor()
  if block and block.state == 'proposed' then
    block.state = 'discarded'
    M.draw()
  end
  return block ~= nil
end

return M
