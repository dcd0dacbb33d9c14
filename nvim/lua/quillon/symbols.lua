--- Where names are defined, as Quillon and the other language servers of a buffer know it.
local M = {}

local PATIENCE = 1500 -- milliseconds for all servers together
local METHOD = 'workspace/symbol'
local OWN = 'quillon/symbols'

---@class quillon.Symbol
---@field name string
---@field uri string
---@field line integer from 0
---@field client vim.lsp.Client
---@field range? lsp.Range all of its lines, where they are known

---@param name string
---@return string
local function plain(name)
  return (name:gsub('%(.*$', ''):gsub('%s+', ''))
end

--- What Quillon's own index of the workspace has.
---@param query string
---@param bufnr integer
---@return quillon.Symbol[]
function M.own(query, bufnr)
  local found = {}
  for _, client in ipairs(vim.lsp.get_clients({ bufnr = bufnr, name = 'quillon' })) do
    ---@diagnostic disable-next-line: param-type-mismatch
    local answer = client:request_sync(OWN, { query = query }, PATIENCE, bufnr)
    for _, symbol in ipairs(answer and answer.result or {}) do
      table.insert(found, {
        name = symbol.name,
        uri = symbol.uri,
        line = symbol.range.start.line,
        client = client,
        range = symbol.range,
      })
    end
  end
  return found
end

--- The symbols whose names the servers find for a text; servers that are slow are left out.
---@param query string
---@param bufnr integer
---@return quillon.Symbol[]
function M.search(query, bufnr)
  local found, deadline = {}, vim.uv.now() + PATIENCE
  for _, client in ipairs(vim.lsp.get_clients({ bufnr = bufnr, method = METHOD })) do
    local left = math.max(1, deadline - vim.uv.now())
    local answer = client:request_sync(METHOD, { query = query }, left, bufnr)
    for _, symbol in ipairs(answer and answer.result or {}) do
      local range = symbol.location.range
      if range then
        table.insert(found, {
          name = plain(symbol.name),
          uri = symbol.location.uri,
          line = range.start.line,
          client = client,
        })
      end
    end
  end
  return found
end

--- The definitions of a name: `add`, or `Cart.add` where a server tells containers so.
---@param name string
---@param bufnr integer
---@return quillon.Reference[]
function M.definitions(name, bufnr)
  local last = name:match('[^.]+$') or name
  local function named(symbols)
    local references, seen = {}, {}
    for _, symbol in ipairs(symbols) do
      local key = symbol.uri .. ':' .. symbol.line
      local fits = symbol.name == name
        or symbol.name == last
        or vim.endswith(symbol.name, '.' .. name)
      if not seen[key] and fits then
        seen[key] = true
        table.insert(references, M.whole(symbol, bufnr))
      end
    end
    return references
  end
  local own = named(M.own(name, bufnr))
  return #own > 0 and own or named(M.search(last, bufnr))
end

--- The lines of a definition. Servers mostly tell only where its name stands, and where the rest
--- of it ends when they are asked for the symbols of the file.
---@param symbol quillon.Symbol
---@param bufnr integer
---@return quillon.Reference
function M.whole(symbol, bufnr)
  if symbol.range then
    return { uri = symbol.uri, range = symbol.range }
  end
  local last = symbol.line
  if symbol.client:supports_method('textDocument/documentSymbol', bufnr) then
    local params = { textDocument = { uri = symbol.uri } }
    local answer =
      symbol.client:request_sync('textDocument/documentSymbol', params, PATIENCE, bufnr)
    last = M.last_line(answer and answer.result or {}, symbol.line) or last
  end
  return {
    uri = symbol.uri,
    range = {
      start = { line = symbol.line, character = 0 },
      ['end'] = { line = last + 1, character = 0 },
    },
  }
end

--- The last line of the symbol whose name stands on a line; nil where there is none.
---@param symbols lsp.DocumentSymbol[]
---@param line integer from 0
---@return integer?
function M.last_line(symbols, line)
  for _, symbol in ipairs(symbols) do
    if symbol.selectionRange and symbol.selectionRange.start.line == line then
      return symbol.range['end'].line
    end
    local inside = M.last_line(symbol.children or {}, line)
    if inside then
      return inside
    end
  end
end

--- Names for completion, sorted and each once; at most `most`.
---@param start string
---@param bufnr integer
---@param most integer
---@return string[]
function M.complete(start, bufnr, most)
  local names = {}
  if #start >= 2 then
    for _, symbols in ipairs({ M.own(start, bufnr), M.search(start, bufnr) }) do
      for _, symbol in ipairs(symbols) do
        names[symbol.name] = true
      end
    end
  end
  local sorted = vim.tbl_keys(names)
  table.sort(sorted)
  return vim.list_slice(sorted, 1, most)
end

return M
