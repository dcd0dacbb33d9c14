-- Suggestions in two projects, turned off and on, accepted by lines, and the keys for others.
local t = require('testing')

require('quillon.options').set({ keys = { next = '<C-j>', previous = '<C-k>' } })
local said = t.said()
vim.lsp.enable('quillon')
local function project(name)
  vim.fn.mkdir(name .. '/.git', 'p')
  local bufnr = t.open(name .. '/a.py', { 'x = 1' })
  t.attached(bufnr)
  return bufnr
end
local first, second = project('one'), project('two')
t.equal('each project has a server', #vim.lsp.get_clients({ name = 'quillon' }), 2)

--- Whether suggestions are on in both projects.
local function on()
  return {
    vim.lsp.inline_completion.is_enabled({ bufnr = first }),
    vim.lsp.inline_completion.is_enabled({ bufnr = second }),
  }
end
vim.cmd('Quillon toggle')
t.equal('it is off in both', on(), { false, false })
t.check('and said', said.text():find('Quillon suggests: no', 1, true), said.text())
local third = project('three')
t.check('a new one does not suggest', not vim.lsp.inline_completion.is_enabled({ bufnr = third }))
vim.cmd('Quillon toggle')
t.equal('it is on again', on(), { true, true })
t.check('in the new one, too', vim.lsp.inline_completion.is_enabled({ bufnr = third }))
t.check('and said', said.text():find('Quillon suggests: yes', 1, true), said.text())
vim.cmd('Quillon snooze 5')
t.equal('both are silent', on(), { false, false })
vim.cmd('Quillon snooze 0')
t.equal('both speak', on(), { true, true })

local GHOST = 'a, b):\n    return a + b'
local function ghost(text)
  return function()
    t.wait('ghost text', function()
      return t.ghost() == text
    end, t.ghost)
  end
end

-- The first line, then the rest.
t.type('Godef add(', ghost(GHOST), function()
  t.check('a line is accepted', require('quillon.inline').accept_line())
  t.wait('the first line', function()
    return t.text() == 'x = 1\ndef add(a, b):'
  end, t.text)
end)

-- The keys for other suggestions: with one suggestion, it is the next and the previous one.
local function press(key)
  return vim.fn.maparg(key, 'i', false, true).callback()
end
vim.api.nvim_buf_set_lines(0, 0, -1, false, { '' })
t.equal('without a suggestion the key does what it did', press('<C-j>'), '<C-j>')
t.type('Adef add(', ghost(GHOST), function()
  t.equal('the next', press('<C-j>'), '')
  t.equal('is counted', t.ghost(), GHOST .. ' (1/1)')
  t.equal('the previous', press('<C-k>'), '')
  t.check('it is accepted', require('quillon.inline').accept())
  t.wait('the whole text', function()
    return t.text() == 'def add(a, b):\n    return a + b'
  end, t.text)
end)
t.done()
