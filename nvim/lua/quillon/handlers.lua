--- What the server sends besides the protocol that Neovim knows. Loaded with the configuration,
--- so everything else is required when it is needed.
local M = {}

M['quillon/status'] = function(_, params)
  require('quillon.status').update(params)
end

M['quillon/explain'] = function(_, params, context)
  require('quillon.chat').ask(params.text, {
    references = params.references or {},
    client_id = context.client_id,
    fresh = true,
  })
end

--- A request: the answer is what the user decides, so the coroutine of the request waits.
M['quillon/approve'] = function(_, params)
  return require('quillon.approval').ask(params)
end

--- The chat's stream comes as progress; everything else is Neovim's.
M['$/progress'] = function(err, params, context, config)
  if not require('quillon.chat').progress(params.token, params.value) then
    return vim.lsp.handlers['$/progress'](err, params, context, config)
  end
end

return M
