-- A preview is of the very file that an edit names, whatever its name is.
local t = require('testing')

local edits, preview = require('quillon.edit'), require('quillon.preview')
local function uri(name)
  return vim.uri_from_fname(vim.fs.joinpath(vim.fn.getcwd(), name))
end
local function inserting(name, text, version)
  local start = { line = 0, character = 0 }
  return {
    documentChanges = {
      {
        textDocument = { uri = uri(name), version = version or vim.NIL },
        edits = { { range = { start = start, ['end'] = start }, newText = text } },
      },
    },
  }
end
local function before(name)
  return preview.changes(inserting(name, ''), 'utf-16')[1].before
end

-- A name that begins another's.
local stub = t.open('d/new.pyi', { 'stub' })
t.equal('a file that is not there is empty', before('d/new.py'), '')
t.equal('an open one is not stale for it', edits.stale(inserting('d/new.py', '', 7)), nil)
preview.show(inserting('d/new.py', 'new\n'), 'utf-16', 'Change')
t.equal('no other file is shown', vim.api.nvim_buf_get_lines(0, 0, 4, false), {
  '--- d/new.py',
  '+++ d/new.py',
  '@@ -0,0 +1,2 @@',
  '+new',
})
vim.api.nvim_buf_set_lines(stub, 0, -1, false, { 'changed' })
vim.api.nvim_feedkeys('ga', 'x', false)
t.equal('it is applied', vim.fn.getbufline(edits.buffer(uri('d/new.py')), 1), { 'new' })
t.equal('to no other file', vim.api.nvim_buf_get_lines(stub, 0, -1, false), { 'changed' })

-- A name that is a pattern of another's.
t.open('a.py', { 'plain' })
t.equal('brackets are letters', edits.buffer(uri('[a].py')), nil)
vim.fn.writefile({ 'brackets' }, '[a].py')
t.equal('the file is read', before('[a].py'), 'brackets\n')
local brackets = t.open('[a].py', { 'opened' })
t.equal('its buffer is found', edits.buffer(uri('[a].py')), brackets)

-- Another name of a file that is open: the edit would change its buffer.
assert(vim.uv.fs_symlink('a.py', 'link.py'))
t.equal('a link is its file', edits.buffer(uri('link.py')), edits.buffer(uri('a.py')))

-- A name that would break a line.
preview.show(inserting('a\nb.py', 'x\n'), 'utf-16', 'Change a\nb.py')
local header = vim.api.nvim_buf_get_lines(0, 0, 2, false)
t.equal('the name is a line', header, { '--- a?b.py', '+++ a?b.py' })
t.equal('so is the title', vim.api.nvim_win_get_config(0).title, { { 'Change a?b.py' } })
t.done()
