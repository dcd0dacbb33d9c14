--- Proposed edits.
local M = {}

--- The buffer of a document; nil where there is none. `bufnr()` would take part of another's name for
--- it, or read brackets in a name as a pattern: these find what `apply_workspace_edit` changes.
---@param uri string
---@return integer?
function M.buffer(uri)
  local path = vim.uri_to_fname(uri)
  return vim.fn.bufexists(path) == 1 and vim.fn.bufadd(path) or nil
end

--- A text that fits in a line: whatever would break it is shown as `?`.
---@param text string
---@return string
function M.printable(text)
  return (text:gsub('%c', '?'))
end

--- The name of a document for the user.
---@param uri string
---@return string
function M.name(uri)
  return M.printable(vim.fn.fnamemodify(vim.uri_to_fname(uri), ':.'))
end

--- The first document that has changed since an edit was proposed; nil when none has.
---@param edit lsp.WorkspaceEdit
---@return string?
function M.stale(edit)
  for _, change in ipairs(edit.documentChanges or {}) do
    local document = change.textDocument
    local bufnr = document and M.buffer(document.uri)
    if bufnr and type(document.version) == 'number' then
      if vim.lsp.util.buf_versions[bufnr] ~= document.version then
        return M.name(document.uri)
      end
    end
  end
end

--- The edit without its annotations: the user has been asked in the chat.
---@param edit lsp.WorkspaceEdit
---@return lsp.WorkspaceEdit
function M.confirmed(edit)
  local bare = vim.deepcopy(edit)
  bare.changeAnnotations = nil
  for _, change in ipairs(bare.documentChanges or {}) do
    change.annotationId = nil
    for _, one in ipairs(change.edits or {}) do
      one.annotationId = nil
    end
  end
  return bare
end

return M
