--- The running language client.
local M = {}

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
    vim.notify(require('quillon.words').say('no_server'), vim.log.levels.WARN)
  end
  return client
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
