-- The server, as |vim.lsp.config()| reads it: `vim.lsp.enable('quillon')` is enough.
-- Change any field with `vim.lsp.config('quillon', { ... })`; see |quillon-server|.

---@type vim.lsp.Config
return {
  cmd = { 'quillon', 'lsp' },
  -- No filetypes: the server decides which languages get suggestions.
  root_dir = function(bufnr, on_dir)
    local root = require('quillon.buffer').root(bufnr)
    if root then
      on_dir(root)
    end
  end,
  settings = { quillon = vim.empty_dict() },
  before_init = function(params, config)
    -- Neovim does not tell its language by itself.
    params.locale = require('quillon.words').locale()
    params.initializationOptions = vim.tbl_get(config, 'settings', 'quillon')
  end,
  capabilities = { experimental = { quillon = { chat = true, approve = true } } },
  on_exit = function(code, signal, client_id)
    vim.schedule(function()
      require('quillon.restart').exited(code, signal, client_id)
    end)
  end,
  handlers = require('quillon.handlers'),
}
