--- `:Quillon` and its subcommands, in one table.
local words = require('quillon.words')

local M = {}

---@class quillon.Subcommand
---@field run fun(arguments: string, range?: { [1]: integer, [2]: integer })
---@field help string

---@param range? { [1]: integer, [2]: integer }
---@return quillon.Reference
local function code(range)
  local bufnr = vim.api.nvim_get_current_buf()
  local references = require('quillon.references')
  if range then
    return references.lines(bufnr, range[1], range[2])
  end
  return references.lines(bufnr, M.around(bufnr, vim.api.nvim_win_get_cursor(0)[1] - 1))
end

---@type table<string, quillon.Subcommand>
M.subcommands = {
  chat = {
    help = 'open the chat; with text, ask it; with a range, about those lines',
    run = function(text, range)
      if text == '' then
        require('quillon.chat').open()
      else
        require('quillon.chat').ask(text, { references = range and { code(range) } or {} })
      end
    end,
  },
  explain = {
    help = 'explain the lines of the range, else the code around the cursor',
    run = function(_, range)
      require('quillon.chat').ask(
        words.say('explain'),
        { references = { code(range) }, fresh = true }
      )
    end,
  },
  preview = {
    help = 'choose a code action and see what it would change, before it does',
    run = function(_, range)
      require('quillon.preview').choose(range)
    end,
  },
  new = {
    help = 'begin a new conversation',
    run = function()
      require('quillon.chat').start_new()
      require('quillon.chat').open()
    end,
  },
  conversations = {
    help = 'choose a stored conversation',
    run = function()
      require('quillon.chat.library').choose()
    end,
  },
  rename = {
    help = 'give the conversation another title',
    run = function(title)
      require('quillon.chat.library').rename(title)
    end,
  },
  delete = {
    help = 'choose a stored conversation and delete it',
    run = function()
      require('quillon.chat.library').delete()
    end,
  },
  export = {
    help = 'open the conversation as Markdown',
    run = function()
      require('quillon.chat.library').export()
    end,
  },
  stop = {
    help = 'stop the answer that streams',
    run = function()
      require('quillon.chat').stop()
    end,
  },
  status = {
    help = 'show the state of the engine and the reason for no suggestion',
    run = function()
      require('quillon.status').show()
    end,
  },
  snooze = {
    help = 'no suggestions for so many minutes (30)',
    run = function(minutes)
      require('quillon.inline').snooze(tonumber(minutes) or 30)
    end,
  },
  toggle = {
    help = 'turn suggestions on or off for this session',
    run = function()
      local on = require('quillon.inline').toggle()
      if on ~= nil then
        vim.notify(words.say(on and 'suggests' or 'suggests_not'))
      end
    end,
  },
  restart = {
    help = 'restart the server',
    run = function()
      require('quillon.restart').restart()
    end,
  },
  log = {
    help = "open Neovim's log of language servers",
    run = function()
      vim.cmd.tabedit(vim.fn.fnameescape(M.log_file()))
    end,
  },
}

---@return string
function M.log_file()
  return vim.lsp.log and vim.lsp.log.get_filename() or vim.lsp.get_log_path()
end

--- The lines of the function or class around a row, else of the paragraph; both from 1.
---@param bufnr integer
---@param row integer from 0
---@return integer first
---@return integer last
function M.around(bufnr, row)
  local ok, node = pcall(vim.treesitter.get_node, { bufnr = bufnr, pos = { row, 0 } })
  while ok and node do
    if
      node:type():match('function')
      or node:type():match('class')
      or node:type():match('method')
    then
      local first, _, last = node:range()
      return first + 1, last + 1
    end
    node = node:parent()
  end
  local all = vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
  local first, last = row + 1, row + 1
  while first > 1 and all[first - 1]:match('%S') do
    first = first - 1
  end
  while last < #all and all[last + 1]:match('%S') do
    last = last + 1
  end
  return first, last
end

function M.create()
  vim.api.nvim_create_user_command('Quillon', function(command)
    local name, rest = command.args:match('^(%S*)%s*(.*)$')
    local subcommand = M.subcommands[name == '' and 'chat' or name]
    if not subcommand then
      local names = vim.tbl_keys(M.subcommands)
      table.sort(names)
      vim.notify(
        words.say('unknown_subcommand', name, table.concat(names, ', ')),
        vim.log.levels.ERROR
      )
      return
    end
    subcommand.run(rest, command.range > 0 and { command.line1, command.line2 } or nil)
  end, {
    nargs = '*',
    range = true,
    desc = words.say('command'),
    complete = function(start, line)
      return line:match('^%S+%s+%S*$') and M.complete(start) or {}
    end,
  })
end

---@param start string
---@return string[]
function M.complete(start)
  local names = vim.tbl_filter(function(name)
    return vim.startswith(name, start)
  end, vim.tbl_keys(M.subcommands))
  table.sort(names)
  return names
end

return M
