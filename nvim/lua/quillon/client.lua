--- The running language client, and one that is on its way.
local words = require('quillon.words')

local M = {}

local POLL = 50 -- milliseconds between two looks for a server
local SETTLING = 1000 -- milliseconds in which Neovim begins to start the server of a buffer

--- Milliseconds until a server that starts is no longer waited for.
M.patience = 60000

--- The client of a buffer, else any that runs: the chat has a buffer of its own.
---@param bufnr? integer
---@return vim.lsp.Client?
function M.get(bufnr)
  local own = bufnr and vim.lsp.get_clients({ name = 'quillon', bufnr = bufnr })[1]
  return own or vim.lsp.get_clients({ name = 'quillon' })[1]
end

--- The client, or a message that says what to do.
---@param bufnr? integer
---@return vim.lsp.Client?
function M.need(bufnr)
  local client = M.get(bufnr)
  if not client then
    local reason = words.say(M.starting(bufnr) and 'starting' or 'no_server')
    vim.notify(reason, vim.log.levels.WARN)
  end
  return client
end

--- Whether the server for a buffer, or for any, starts: it answers nothing yet, or it crashed and
--- will be started again.
---@param bufnr? integer
---@return boolean
function M.starting(bufnr)
  if #vim.lsp.get_clients({ name = 'quillon', bufnr = bufnr }) > 0 then
    return false
  end
  ---@diagnostic disable-next-line: invisible
  local begun = vim.lsp.get_clients({ name = 'quillon', bufnr = bufnr, _uninitialized = true })
  return #begun > 0 or require('quillon.restart').planned()
end

--- Whether Neovim starts a server for a buffer, if it does not already.
---@param bufnr? integer
---@return boolean
local function served(bufnr)
  local enabled = not vim.lsp.is_enabled or vim.lsp.is_enabled('quillon')
  return bufnr ~= nil
    and enabled
    and not require('quillon.program').missing()
    and not require('quillon.buffer').reason(bufnr)
end

--- Whether waiting for a server makes sense.
---@param bufnr? integer
---@return boolean
function M.comes(bufnr)
  return M.starting(bufnr) or (not M.get(bufnr) and served(bufnr))
end

--- Call back with the server for a buffer once it runs, or with nothing when none has started.
---@param bufnr? integer
---@param wanted fun(): boolean whether somebody still waits
---@param done fun(client?: vim.lsp.Client)
function M.await(bufnr, wanted, done)
  local patient, settled = vim.uv.now() + M.patience, vim.uv.now() + SETTLING
  local function look()
    if not wanted() then
      return
    end
    local now, starting = vim.uv.now(), M.starting(bufnr)
    local client = not starting and M.get(bufnr) or nil
    settled = starting and now + SETTLING or settled
    if client or now > math.min(patient, settled) then
      done(client)
    else
      vim.defer_fn(look, POLL)
    end
  end
  look()
end

--- Ask the server; the callback gets a sentence or the result.
---@param method string
---@param params table
---@param done fun(problem: string?, result: any)
---@return boolean sent
function M.ask(method, params, done)
  local client = M.need()
  if not client then
    return false
  end
  return (
    client:request(method, params, function(err, result)
      done(err and err.message, result)
    end)
  )
end

return M
