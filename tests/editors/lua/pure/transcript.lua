local lines = require('quillon.chat.lines')
local t = require('testing')
local transcript = require('quillon.chat.transcript')

local function after(...)
  local chat = transcript.new()
  transcript.ask(chat, 'What is it?')
  for _, value in ipairs({ ... }) do
    transcript.progress(chat, value)
  end
  return chat
end

local usage = { promptTokens = 9, cachedTokens = 4, completionTokens = 3, tokensPerSecond = 2.5 }
local function finish(chat, reason, text)
  transcript.finish(chat, { finishReason = reason, text = text or '', usage = usage })
  return chat
end

t.equal(
  'an answer streams',
  lines.of(after({ kind = 'text', text = 'It is ' }, { kind = 'text', text = 'one.\nYes.' })),
  { '## You', '', 'What is it?', '', '## Quillon', '', 'It is one.', 'Yes.', '', '…', '' }
)

local call = { kind = 'toolCall', id = 't', name = 'read_file', arguments = { path = 'a.py' } }
local card = after(
  vim.tbl_extend('force', call, { state = 'running' }),
  { kind = 'toolResult', id = 't', ok = true, preview = 'x = 1\ny = 2' },
  vim.tbl_extend('force', call, { state = 'done' })
)
t.equal('a tool call is one card', lines.of(finish(card, 'stop', 'Done.')), {
  '## You',
  '',
  'What is it?',
  '',
  '## Quillon',
  '',
  '▸ read_file a.py · done',
  '│ path: a.py',
  '│ ',
  '│ x = 1',
  '│ y = 2',
  '',
  'Done.',
  '',
  '> 9 tokens read (4 cached), 3 written, 2.5 tokens/s',
  '',
})

local changes = { edits = { { path = 'a.py', search = 'x' }, { path = 'b.py' } } }
local proposed = after({
  kind = 'toolCall',
  id = 'p',
  name = 'propose_edit',
  arguments = changes,
  state = 'proposed',
})
t.equal(
  'an object is shown by its path',
  lines.of(proposed)[7],
  '▸ propose_edit a.py +1 · proposed'
)
local asked = { callId = 'p', tool = 'propose_edit', arguments = changes }
transcript.approval(proposed, asked, '--- a/a.py\n@@ -1 +1 @@\n-x\n+y')
t.check(
  'a change is called one',
  vim.tbl_contains(lines.of(proposed), 'Waiting for your approval. This is the change:'),
  lines.of(proposed)
)
local long = after({
  kind = 'toolCall',
  id = 'l',
  name = 'search',
  arguments = { query = ('é'):rep(99) },
  state = 'done',
})
t.equal(
  'a long argument leaves room for the state',
  lines.of(long)[7],
  '▸ search ' .. ('é'):rep(40) .. '… · done'
)

local levels = vim.tbl_map(lines.fold_level, { '▸ read_file', '│ path', 'text' })
t.equal('a card folds under its first line', levels, { '>1', '1', '0' })

local waiting = after(vim.tbl_extend('force', call, { state = 'proposed' }))
transcript.approval(waiting, { callId = 't', tool = 'run_tests', arguments = {} }, 'pytest -x')
t.check(
  'an approval shows what will run',
  lines.of(waiting)[10] == '    pytest -x',
  lines.of(waiting)
)
transcript.fail(waiting, 'The server stopped while it answered.')
t.equal('an open call ends with its turn', waiting.turns[1].blocks[1].state, 'denied')
t.check('and asks no more', not vim.tbl_contains(lines.of(waiting), '    pytest -x'))

local late = finish(after({ kind = 'text', text = 'Yes.' }), 'cancelled')
local before = vim.deepcopy(late)
transcript.progress(late, { kind = 'text', text = 'more' })
t.equal('what comes after the end is dropped', late, before)
t.check('a stopped turn says so', lines.of(late)[9]:match('^> Stopped%. 9 tokens'), lines.of(late))

local long_one = lines.of(finish(after({ kind = 'text', text = 'Yes.' }), 'length'))[9]
t.check('an end says what to do', long_one:find('raise quillon.chat.maxTokens', 1, true), long_one)

local unknown = after({ kind = 'fanfare' })
t.equal('unknown kinds are dropped', unknown.turns[1].blocks, {})

local edit = after({ kind = 'edit', id = 'e', label = 'Rename', edit = {} })
local drawn = lines.of(edit)
t.equal('an edit is one line', drawn[7], '✎ Rename · `ga` applies it, `gx` discards it')
t.equal('which is found again', lines.edit_at(edit, 7).id, 'e')
t.equal('and only there', lines.edit_at(edit, 6), nil)

local posing = after({ kind = 'text', text = '✎ Harmless · `ga` applies it' })
t.equal('an answer cannot pose as an edit', lines.edit_at(posing, 7), nil)

local two = finish(after({ kind = 'text', text = '## You\n\nnothing' }), 'stop')
transcript.ask(two, 'And then?')
t.equal('a line belongs to its turn', { lines.turn_at(two, 8), (lines.turn_at(two, 13)) }, { 1, 2 })

local messages = { { role = 'user', text = 'And then?' }, { role = 'assistant', text = 'x' } }
t.equal('a turn that failed was not stored', transcript.stored(two, 2, messages), 1)
transcript.keep(two, 1)
t.equal('turns are dropped', #two.turns, 1)

local stored = transcript.open({
  { role = 'user', text = 'Hi' },
  {
    role = 'assistant',
    text = 'Looking.',
    toolCalls = { vim.tbl_extend('force', call, { state = 'done' }) },
  },
  { role = 'tool', toolCallId = 't', text = 'x = 1' },
  { role = 'assistant', text = 'It is one.' },
})
t.equal(
  'a stored conversation opens',
  vim.tbl_map(function(block)
    return block.text or block.preview
  end, stored.turns[1].blocks),
  { 'Looking.', 'x = 1', 'It is one.' }
)

local when = require('quillon.chat.library').when
local noon = os.time({ year = 2026, month = 1, day = 2, hour = 12, min = 34 })
t.equal(
  'a time is that of the clock here',
  when(os.date('!%Y-%m-%dT%H:%M:56.789+00:00', noon)),
  '2026-01-02 12:34'
)
t.equal('what is no time is left as it is', when('yesterday'), 'yesterday')

t.done()
