--- The `@file`, `@symbol` and `#selection` marks in a question.
local words = require('quillon.words')

local M = {}

---@class quillon.Reference
---@field uri string
---@field range? lsp.Range

--- The words of a text that name something, without the punctuation behind them.
---@param text string
---@return string[]
function M.marks(text)
  local found = {}
  for word in text:gmatch('%S+') do
    local mark = word:gsub('[,.;:!?)]+$', '')
    if mark == '#selection' or mark:match('^@.') then
      table.insert(found, mark)
    end
  end
  return found
end

--- What the marks of a question stand for, and a sentence for each that stands for nothing.
---@param text string
---@param root string the folder that names are relative to
---@param selection? quillon.Reference what `#selection` means
---@param bufnr? integer whose language servers know the symbols
---@return quillon.Reference[] references
---@return string[] problems
function M.resolve(text, root, selection, bufnr)
  local references, problems = {}, {}
  for _, mark in ipairs(M.marks(text)) do
    local reference, problem = M.one(mark, root, selection, bufnr)
    table.insert(references, reference)
    table.insert(problems, problem)
  end
  return references, problems
end

--- What one mark stands for, else or besides a sentence.
---@param mark string
---@param root string
---@param selection? quillon.Reference
---@param bufnr? integer
---@return quillon.Reference? reference
---@return string? problem
function M.one(mark, root, selection, bufnr)
  if mark == '#selection' then
    return selection, not selection and M.problem(mark) or nil
  end
  local file = M.file(mark:sub(2), root)
  if file or not bufnr then
    return file, not file and M.problem(mark) or nil
  end
  local found = require('quillon.symbols').definitions(mark:sub(2), bufnr)
  if #found == 0 then
    return nil, M.problem(mark)
  end
  local place = ('%s:%d'):format(
    vim.fs.basename(vim.uri_to_fname(found[1].uri)),
    found[1].range.start.line + 1
  )
  local several = #found > 1 and words.say('several', mark:sub(2), #found, place)
  return found[1], several or nil
end

---@param mark string
---@return string
function M.problem(mark)
  if mark == '#selection' then
    return words.say('nothing_selected')
  end
  return words.say('no_reference', mark:sub(2))
end

---@param name string
---@param root string
---@return quillon.Reference?
function M.file(name, root)
  local path = vim.fs.normalize(vim.fs.joinpath(root, name))
  local stat = vim.uv.fs_stat(path)
  if stat and stat.type == 'file' then
    return { uri = vim.uri_from_fname(path) }
  end
end

--- Whole lines of a buffer, from 1, both included.
---@param bufnr integer
---@param first integer
---@param last integer
---@return quillon.Reference
function M.lines(bufnr, first, last)
  return {
    uri = vim.uri_from_bufnr(bufnr),
    range = {
      start = { line = first - 1, character = 0 },
      ['end'] = { line = last, character = 0 },
    },
  }
end

--- The lines selected last in a buffer; nil where nothing was.
---@param bufnr integer
---@return quillon.Reference?
function M.selection(bufnr)
  local first = vim.api.nvim_buf_get_mark(bufnr, '<')[1]
  local last = vim.api.nvim_buf_get_mark(bufnr, '>')[1]
  if first == 0 or last == 0 then
    return nil
  end
  return M.lines(bufnr, first, last)
end

--- File names that begin with a text, for completion; at most `most`.
---@param start string
---@param root string
---@param most integer
---@return string[]
function M.complete(start, root, most)
  local found = {}
  for name, kind in vim.fs.dir(root, { depth = 6, skip = M.is_searched }) do
    if kind == 'file' and name:find(start, 1, true) then
      table.insert(found, name)
      if #found >= most then
        break
      end
    end
  end
  table.sort(found)
  return found
end

--- Folders that hold no code of the user's are not searched.
---@param folder string
---@return boolean
function M.is_searched(folder)
  local name = vim.fs.basename(folder)
  return not (vim.startswith(name, '.') or name == 'node_modules' or name == '__pycache__')
end

return M
