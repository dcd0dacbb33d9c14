--- Quillon in Neovim: the command, the hooks of the language client, and the options.
local M = {}

local prepared = false

--- Options are optional; so is this call. It also enables the server.
---@param options? quillon.Options
function M.setup(options)
  require('quillon.options').set(options)
  M.prepare()
  vim.lsp.enable('quillon')
end

--- Create the command and the hooks, once. `plugin/quillon.lua` calls it at startup.
function M.prepare()
  if prepared then
    return
  end
  prepared = true
  require('quillon.command').create()
  local group = vim.api.nvim_create_augroup('quillon', {})
  vim.api.nvim_create_autocmd('LspAttach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == 'quillon' then
        require('quillon.status').refresh(client)
        require('quillon.inline').attach(client, event.buf)
        require('quillon.diagnostics').send(client, event.buf)
      end
    end,
  })
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    callback = function(event)
      -- True removes the autocommand.
      return vim.bo[event.buf].buftype == '' and require('quillon.program').tell()
    end,
  })
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    callback = function(event)
      require('quillon.buffer').typed(event.buf)
    end,
  })
  vim.api.nvim_create_autocmd({ 'BufFilePost', 'BufWritePost' }, {
    group = group,
    callback = function(event)
      require('quillon.buffer').named(event.buf)
    end,
  })
  vim.api.nvim_create_autocmd('DiagnosticChanged', {
    group = group,
    callback = function(event)
      require('quillon.diagnostics').changed(event.buf)
    end,
  })
end

return M
