-- The configuration of the editor under test: what a user of packpath has, and the server's command.
vim.opt.runtimepath:prepend(vim.env.QUILLON_TEST_PLUGIN)
package.path = vim.env.QUILLON_TEST_LUA .. '/?.lua;' .. package.path
vim.o.swapfile = false
vim.o.termguicolors = true
vim.cmd.filetype('plugin', 'indent', 'on')
vim.lsp.log.set_level('WARN')
vim.lsp.config('quillon', { cmd = vim.json.decode(vim.env.QUILLON_TEST_COMMAND) })
vim.o.cmdheight = 2
if vim.g.quillon_test_enable then
  vim.lsp.enable('quillon')
end
