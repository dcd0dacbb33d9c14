-- All that a user writes whose plugin lies on the packpath; the first line is the tests'.
package.path = vim.env.QUILLON_TEST_LUA .. '/?.lua;' .. package.path
vim.lsp.enable('quillon')
