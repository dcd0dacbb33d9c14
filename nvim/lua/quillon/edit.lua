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

return M
