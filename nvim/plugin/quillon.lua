if vim.g.loaded_quillon then
  return
end
vim.g.loaded_quillon = true
require('quillon').prepare()
