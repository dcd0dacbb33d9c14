--- `:Quillon preview`: what a code action would change, as a diff, before it is applied.
local edits = require('quillon.edit')
local words = require('quillon.words')

local M = {}

---@class quillon.Previewed
---@field uri string
---@field before string
---@field after string

---@param bufnr integer
---@return string
local function text_of(bufnr)
  return table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), '\n') .. '\n'
end

--- The text of a document: of its buffer, else of its file; empty where there is neither.
---@param uri string
---@return string
local function current(uri)
  local bufnr = edits.buffer(uri)
  if bufnr and vim.api.nvim_buf_is_loaded(bufnr) then
    return text_of(bufnr)
  end
  local file = io.open(vim.uri_to_fname(uri), 'rb')
  local text = file and file:read('*a') or ''
  if file then
    file:close()
  end
  return (text:gsub('\r\n', '\n'))
end

--- A text with edits.
---@param before string
---@param changes lsp.TextEdit[]
---@param encoding string
---@return string
local function edited(before, changes, encoding)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, vim.split((before:gsub('\n$', '')), '\n'))
  vim.lsp.util.apply_text_edits(changes, bufnr, encoding)
  local after = text_of(bufnr)
  vim.api.nvim_buf_delete(bufnr, { force = true })
  return after
end

--- What an edit does to each document.
---@param edit lsp.WorkspaceEdit
---@param encoding string
---@return quillon.Previewed[]
function M.changes(edit, encoding)
  local found = {}
  for _, change in ipairs(edit.documentChanges or {}) do
    if change.textDocument then
      local uri = change.textDocument.uri
      local before = current(uri)
      table.insert(found, {
        uri = uri,
        before = before,
        after = edited(before, change.edits, encoding),
      })
    end
  end
  return found
end

--- The lines of a unified diff.
---@param changes quillon.Previewed[]
---@return string[]
function M.diff(changes)
  local compare, lines = vim.text.diff or vim.diff, {}
  for _, change in ipairs(changes) do
    local name = edits.name(change.uri)
    vim.list_extend(lines, { '--- ' .. name, '+++ ' .. name })
    local hunks = compare(change.before, change.after, { ctxlen = 3 }) --[[@as string]]
    vim.list_extend(lines, vim.split(vim.trim(hunks), '\n'))
  end
  return lines
end

--- Show lines in a window above all others, whose frame says what they are and which keys there are.
---@param lines string[]
---@param title string
---@return integer window
local function open(lines, title)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].filetype = 'diff'
  vim.bo[bufnr].bufhidden = 'wipe'
  vim.bo[bufnr].modifiable = false
  local keys, width = words.say('preview_keys'), 0
  for _, line in ipairs({ title, keys, unpack(lines) }) do
    width = math.max(width, vim.fn.strdisplaywidth(line) + 2)
  end
  width = math.max(1, math.min(width, vim.o.columns - 4))
  local height = math.max(1, math.min(#lines, vim.o.lines - 6))
  return vim.api.nvim_open_win(bufnr, true, {
    relative = 'editor',
    row = math.floor((vim.o.lines - height) / 2) - 1,
    col = math.floor((vim.o.columns - width) / 2) - 1,
    width = width,
    height = height,
    style = 'minimal',
    border = 'rounded',
    title = title,
    footer = keys,
  })
end

--- Show what an edit would change; keys apply or discard it.
---@param edit lsp.WorkspaceEdit
---@param encoding string
---@param title string
function M.show(edit, encoding, title)
  -- What the server wants confirmed is confirmed by the key.
  edit = edits.confirmed(edit)
  local changes = M.changes(edit, encoding)
  vim.cmd.stopinsert()
  local window = open(M.diff(changes), edits.printable(title))
  local function map(key, action, description)
    vim.keymap.set('n', key, action, { buffer = true, desc = words.say(description) })
  end
  local function close()
    vim.api.nvim_win_close(window, true)
  end
  map('gx', close, 'key_preview_discard')
  map('q', close, 'key_preview_discard')
  map('ga', function()
    close()
    M.apply(edit, encoding, changes)
  end, 'key_preview_apply')
end

--- Apply what was shown; nothing where a text is no longer the one that it was shown for.
---@param edit lsp.WorkspaceEdit
---@param encoding string
---@param changes quillon.Previewed[]
function M.apply(edit, encoding, changes)
  for _, change in ipairs(changes) do
    if current(change.uri) ~= change.before then
      vim.notify(words.say('has_changed', edits.name(change.uri)), vim.log.levels.WARN)
      return
    end
  end
  vim.lsp.util.apply_workspace_edit(edit, encoding)
end

--- What the server is asked: the lines of a range, else the place of the cursor.
---@param bufnr integer
---@param encoding string
---@param range? { [1]: integer, [2]: integer }
---@return table
function M.params(bufnr, encoding, range)
  local params = vim.lsp.util.make_range_params(0, encoding)
  if range then
    params = vim.lsp.util.make_given_range_params(
      { range[1], 0 },
      { range[2], math.max(#vim.fn.getline(range[2]) - 1, 0) },
      bufnr,
      encoding
    )
  end
  local first, last = params.range.start.line, params.range['end'].line
  local problems = vim.iter(vim.diagnostic.get(bufnr)):filter(function(problem)
    return problem.lnum <= last and (problem.end_lnum or problem.lnum) >= first
  end)
  local to_lsp = require('quillon.diagnostics').to_lsp
  params.context = {
    triggerKind = 1,
    diagnostics = problems
      :map(function(problem)
        return to_lsp(problem, bufnr, encoding)
      end)
      :totable(),
  }
  return params
end

--- Have the model work out an action that was chosen.
---@param client vim.lsp.Client
---@param action lsp.CodeAction
---@param bufnr integer
local function resolve(client, action, bufnr)
  client:request('codeAction/resolve', action, function(err, resolved)
    if err then
      vim.notify(err.message, vim.log.levels.ERROR)
    elseif resolved and resolved.edit then
      M.show(resolved.edit, client.offset_encoding, action.title)
    else
      vim.notify(words.say('no_actions'), vim.log.levels.WARN)
    end
  end, bufnr)
end

--- Choose one of Quillon's actions that change code, and show what it would change.
---@param range? { [1]: integer, [2]: integer }
function M.choose(range)
  local bufnr = vim.api.nvim_get_current_buf()
  local client = require('quillon.client').need(bufnr)
  if not client then
    return
  end
  local params = M.params(bufnr, client.offset_encoding, range)
  client:request('textDocument/codeAction', params, function(err, actions)
    local offered = vim.tbl_filter(function(action)
      return not action.command and not action.disabled
    end, actions or {})
    if err or #offered == 0 then
      vim.notify(err and err.message or words.say('no_actions'), vim.log.levels.WARN)
      return
    end
    vim.ui.select(offered, {
      prompt = words.say('preview_which'),
      kind = 'quillon_action',
      format_item = function(action)
        return edits.printable(action.title)
      end,
    }, function(action)
      if action then
        resolve(client, action, bufnr)
      end
    end)
  end, bufnr)
end

return M
