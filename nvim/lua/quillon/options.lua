--- The plugin's options. The server's settings are not here: they go to `vim.lsp.config`.
local M = {}

---@class quillon.Keys
---@field accept? string|false accepts the suggestion
---@field accept_word? string|false accepts its next word
---@field accept_line? string|false accepts its next line
---@field next? string|false shows the next suggestion
---@field previous? string|false shows the previous suggestion

---@class quillon.Options
---@field inline? boolean show suggestions while typing
---@field keys? quillon.Keys insert-mode keys, false for none
---@field chat_width? integer columns of the chat window, at most half of the screen
---@field largest_file? integer bytes of the largest file that is sent to the server

---@type quillon.Options
local defaults = {
  inline = true,
  keys = {
    accept = '<Tab>',
    accept_word = '<M-Right>',
    accept_line = '<M-Down>',
    next = '<M-]>',
    previous = '<M-[>',
  },
  chat_width = 80,
  largest_file = 10 * 1024 * 1024,
}

local chosen = defaults

---@param options? quillon.Options
function M.set(options)
  vim.validate('options', options, 'table', true)
  chosen = vim.tbl_deep_extend('force', defaults, options or {})
end

---@return quillon.Options
function M.get()
  return chosen
end

return M
