-- Both languages have the same words, with the same values in them, and the code uses only those.
local t = require('testing')

local words = require('quillon.words')
local function keys(map)
  local found = vim.tbl_keys(map)
  table.sort(found)
  return found
end
t.equal('the same words in both', keys(words.zh), keys(words.en))

local function values(text)
  return vim.iter(text:gmatch('%%[.%d]*%a')):totable()
end
for key, text in pairs(words.en) do
  t.equal('the values of ' .. key, values(words.zh[key]), values(text))
  t.check('some words of ' .. key .. ' are Chinese', words.zh[key]:find('[\228-\239]'))
end

local code = {}
local folder = vim.env.QUILLON_TEST_PLUGIN .. '/lua/quillon'
for name in vim.fs.dir(folder, { depth = 3 }) do
  if vim.endswith(name, '.lua') and name ~= 'words.lua' then
    vim.list_extend(code, vim.fn.readfile(vim.fs.joinpath(folder, name)))
  end
end
local source = table.concat(code, '\n')
for _, pattern in ipairs({ "say%('([%w_]+%w)'", "'(key_[%w_]+)'", "key = '([%w_]+)'" }) do
  for key in source:gmatch(pattern) do
    t.check('the word ' .. key, words.en[key])
  end
end
for key in pairs(words.en) do
  local group = key:match('^%a+_')
  local used = source:find(("'%s'"):format(key), 1, true)
    or (group and source:find(("'%s'"):format(group), 1, true))
  t.check('somebody says ' .. key, used)
end

t.equal('without a language', { words.locale(), words.say('deny') }, { nil, 'Deny' })
t.equal('an unknown state', words.state('state_', 'asleep'), nil)
t.done()
