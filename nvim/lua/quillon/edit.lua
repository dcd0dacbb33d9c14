--- Proposed edits.
local M = {}

--- The first document that has changed since an edit was proposed; nil when none has.
---@param edit lsp.WorkspaceEdit
---@return string?
function M.stale(edit)
  for _, change in ipairs(edit.documentChanges or {}) do
    local document = change.textDocument
    local bufnr = document and vim.fn.bufnr(vim.uri_to_fname(document.uri)) or -1
    if document and type(document.version) == 'number' and bufnr ~= -1 then
      if vim.lsp.util.buf_versions[bufnr] ~= document.version then
        return vim.fn.fnamemodify(vim.uri_to_fname(document.uri), ':.')
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
