-- Stored conversations and references by name, on the scripted engine.
local t = require('testing')

vim.lsp.enable('quillon')
local bufnr = t.open('a.py', { 'def add(a, b):', '    return a + b' })
t.attached(bufnr)
local chat = require('quillon.chat')
local said = {}
vim.notify = function(text)
  table.insert(said, text)
end

local function ended(text)
  t.wait('the answer: ' .. text, function()
    return not chat.is_running() and t.chat_text():find(text, 1, true)
  end, t.chat_text)
end

vim.cmd('Quillon rename Sums')
t.check('nothing to rename yet', said[1]:find('Ask a question first', 1, true), said)

vim.cmd('Quillon chat What does add do?')
ended('That is all.')
vim.cmd('Quillon chat Be hostile')
ended('A_very_long_word')
t.check('HTML stays text', t.chat_text():find('<script>document.body', 1, true), t.chat_text())

-- A question is taken up again: it replaces its turn and what followed.
vim.api.nvim_set_current_win(vim.fn.bufwinid('quillon://chat'))
vim.api.nvim_win_set_cursor(0, { 5, 0 })
vim.api.nvim_feedkeys('r', 'x', false)
t.equal('the question can be written on', t.text(), 'What does add do?')
vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'Explain this code.' })
vim.api.nvim_feedkeys(vim.keycode('<CR>'), 'x', false)
ended('This code **adds** two numbers.')
local _, turns = t.chat_text():gsub('## You', '')
t.equal('one turn is left', turns, 1)

vim.cmd('Quillon rename Sums of numbers')
t.wait('the new title', function()
  return said[#said] == 'The conversation is called Sums of numbers now.'
end, function()
  return said
end)

vim.cmd('Quillon export')
t.wait('the export', function()
  return t.text():find('adds', 1, true)
end, t.text)
t.check('without the turn that was replaced', not t.text():find('That is all', 1, true), t.text())
vim.cmd.tabclose()

vim.cmd('Quillon new')
t.choose('Sums of numbers')
vim.cmd('Quillon conversations')
ended('This code **adds** two numbers.')

local choices = { 'Sums of numbers', 'Delete' }
vim.ui.select = function(items, options, done)
  local wanted = table.remove(choices, 1)
  for _, item in ipairs(items) do
    if (options.format_item or tostring)(item):find(wanted, 1, true) then
      return done(item)
    end
  end
end
vim.cmd('Quillon delete')
t.wait('it is gone', function()
  return chat.conversation() == nil
end)

-- `@symbol` is what Quillon finds in the workspace.
local references = require('quillon.references')
vim.fn.writefile({ 'def multiply(a, b):', '    return a * b' }, 'other.py')
local own, none
t.wait('a symbol of the workspace', function()
  own, none = references.resolve('see @multiply', vim.fn.getcwd(), nil, bufnr)
  return #none == 0
end)
t.equal('it has all its lines', own, {
  {
    uri = vim.uri_from_fname(vim.fs.joinpath(vim.fn.getcwd(), 'other.py')),
    range = { start = { line = 0, character = 0 }, ['end'] = { line = 2, character = 0 } },
  },
})

-- What it does not find is asked of the other servers: here of one inside this Neovim.
local place = { start = { line = 0, character = 4 }, ['end'] = { line = 0, character = 7 } }
local answers = {
  initialize = {
    capabilities = { workspaceSymbolProvider = true, documentSymbolProvider = true },
  },
  ['workspace/symbol'] = {
    {
      name = 'adder(a, b)',
      kind = 12,
      location = { uri = vim.uri_from_bufnr(bufnr), range = place },
    },
    { name = 'added', kind = 12, location = { uri = vim.uri_from_bufnr(bufnr), range = place } },
  },
  ['textDocument/documentSymbol'] = {
    {
      name = 'adder',
      kind = 12,
      selectionRange = place,
      range = { start = { line = 0, character = 0 }, ['end'] = { line = 1, character = 16 } },
    },
  },
}
local asked = 0
vim.lsp.start({
  name = 'names',
  cmd = function()
    return {
      request = function(method, _, done)
        vim.schedule(function()
          done(nil, answers[method] or vim.NIL)
        end)
        asked = asked + 1
        return true, asked
      end,
      notify = function() end,
      is_closing = function()
        return false
      end,
      terminate = function() end,
    }
  end,
}, { bufnr = bufnr })
t.wait('the other server', function()
  return #vim.lsp.get_clients({ name = 'names', bufnr = bufnr }) == 1
end)

local found, problems
t.wait('the other symbol', function()
  found, problems = references.resolve('see @adder and @nothing', vim.fn.getcwd(), nil, bufnr)
  return #found == 1
end)
t.equal('a symbol is its whole definition', found, {
  {
    uri = vim.uri_from_bufnr(bufnr),
    range = { start = { line = 0, character = 0 }, ['end'] = { line = 2, character = 0 } },
  },
})
t.check(
  'what is no symbol is said',
  problems[1]:find('no file or symbol nothing', 1, true),
  problems
)
t.wait('the names', function()
  return vim.deep_equal(
    require('quillon.symbols').complete('ad', bufnr, 9),
    { 'add', 'added', 'adder' }
  )
end)

vim.api.nvim_set_current_win(vim.fn.bufwinid(bufnr))
vim.cmd('Quillon chat What is @add?')
ended('The script knows no answer')
t.check('the notice is not there', not t.chat_text():find('no file or symbol', 1, true))
t.done()
