-- What lazy.nvim does for `{ dir = ..., opts = {} }`: it loads plugins itself, by their folder.
package.path = vim.env.QUILLON_TEST_LUA .. '/?.lua;' .. package.path
vim.go.loadplugins = false
vim.opt.runtimepath:prepend(vim.env.QUILLON_TEST_PLUGIN)
vim.cmd.source(vim.env.QUILLON_TEST_PLUGIN .. '/plugin/quillon.lua')
require('quillon').setup({})
