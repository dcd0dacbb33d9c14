--- A transcript as the lines of a buffer, and which of them fold.
local language = require('quillon.words')

local M = {}

local CARD = '▸ '
local BODY = '│ '

---@param lines string[]
---@param text string
---@param prefix? string
local function add(lines, text, prefix)
  for line in vim.gsplit(text, '\r?\n') do
    -- A NUL cannot stand in a line.
    table.insert(lines, (prefix or '') .. line:gsub('%z', ''))
  end
end

---@param value any
---@return string
local function words(value)
  return type(value) == 'string' and value or vim.json.encode(value)
end

local BRIEF = 40 -- characters of an argument in a card's first line, so that the state has room

--- An argument for the first line of a card: of a list its first, of an object its path.
---@param value any
---@return string
local function brief(value)
  if type(value) == 'table' and vim.islist(value) and #value > 0 then
    return brief(value[1]) .. (#value > 1 and (' +%d'):format(#value - 1) or '')
  end
  if type(value) == 'table' and type(value.path) == 'string' then
    return value.path
  end
  local text = words(value):gsub('%s+', ' ')
  return vim.fn.strchars(text) > BRIEF and vim.fn.strcharpart(text, 0, BRIEF) .. '…' or text
end

--- Whether what is asked about is a change, not something that runs.
---@param preview string
---@return boolean
function M.is_diff(preview)
  return preview:find('^@@ ') ~= nil or preview:find('\n@@ ', 1, true) ~= nil
end

local draw = {}

---@param block quillon.TextBlock
function draw.text(lines, block)
  add(lines, (block.text:gsub('\n+$', '')))
end

---@param block quillon.TextBlock
function draw.notice(lines, block)
  add(lines, block.text, '> ')
end

---@param block quillon.ToolBlock
function draw.tool(lines, block)
  local names = vim.tbl_keys(block.arguments)
  table.sort(names)
  local briefs = vim.iter(names):map(function(name)
    return brief(block.arguments[name])
  end)
  local state = language.state('state_', block.state) or block.state
  local head = ('%s %s · %s'):format(block.name, briefs:join(' '), state)
  table.insert(lines, CARD .. head:gsub('%s+', ' '))
  for _, name in ipairs(names) do
    add(lines, name .. ': ' .. words(block.arguments[name]), BODY)
  end
  if block.preview then
    add(lines, '', BODY)
    add(lines, block.preview, BODY)
  end
  if block.asked then
    table.insert(lines, '')
    add(lines, language.say(M.is_diff(block.asked) and 'waiting_change' or 'waiting_run'))
    add(lines, block.asked, '    ')
  end
end

---@param block quillon.EditBlock
function draw.edit(lines, block)
  local hint = block.state == 'proposed' and language.say('edit_hint')
    or language.state('state_', block.state)
  table.insert(lines, ('✎ %s · %s'):format(block.label:gsub('%s+', ' '), hint))
end

--- The lines of one turn, and which of its blocks stands on which of them.
---@param turn quillon.Turn
---@return string[] lines
---@return table<integer, quillon.Block> blocks
function M.of_turn(turn)
  local lines, blocks = { '## ' .. language.say('you'), '' }, {}
  add(lines, turn.question)
  vim.list_extend(lines, { '', '## Quillon', '' })
  for _, block in ipairs(turn.blocks) do
    local first = #lines + 1
    draw[block.kind](lines, block)
    for row = first, #lines do
      blocks[row] = block
    end
    table.insert(lines, '')
  end
  if not turn.outcome then
    table.insert(lines, '…')
  elseif turn.outcome ~= '' then
    add(lines, turn.outcome, '> ')
  end
  table.insert(lines, '')
  return lines, blocks
end

---@param transcript quillon.Transcript
---@return string[]
function M.of(transcript)
  local lines = {}
  for _, turn in ipairs(transcript.turns) do
    vim.list_extend(lines, (M.of_turn(turn)))
  end
  return lines
end

--- Tool cards fold under their first line.
---@param line string
---@return string
function M.fold_level(line)
  if vim.startswith(line, CARD) then
    return '>1'
  end
  return vim.startswith(line, BODY) and '1' or '0'
end

--- The turn that a line belongs to, and the block that stands on it. Counted, not recognised by
--- what the line says: an answer may look like anything.
---@param transcript quillon.Transcript
---@param row integer from 1
---@return integer? index
---@return quillon.Block? block
function M.turn_at(transcript, row)
  local above = 0
  for index, turn in ipairs(transcript.turns) do
    local lines, blocks = M.of_turn(turn)
    if row <= above + #lines then
      return index, blocks[row - above]
    end
    above = above + #lines
  end
end

--- The proposed edit that a line shows.
---@param transcript quillon.Transcript
---@param row integer from 1
---@return quillon.EditBlock?
function M.edit_at(transcript, row)
  local _, block = M.turn_at(transcript, row)
  return block and block.kind == 'edit' and block or nil
end

return M
