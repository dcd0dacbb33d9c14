--- The plugin's own words, in English and Simplified Chinese. Neovim's language chooses: |v:lang|.
local M = {}

---@type table<string, string>
M.en = {
  -- The server, and which buffers it serves.
  no_server = "Quillon's server does not run. Open a file, and call vim.lsp.enable('quillon') in your "
    .. 'configuration; :checkhealth quillon says more.',
  starting = 'Quillon is still starting. Try again in a moment.',
  waits_for_server = 'Quillon is still starting; the question waits for it.',
  not_started = "Quillon's server did not start. :Quillon restart tries again; "
    .. ':checkhealth quillon says more.',
  not_on_path = '%s is not an executable on the PATH',
  install = 'Quillon: %s. Run `pip install .` in a clone of Quillon, or set the path of the '
    .. 'program; :checkhealth quillon says how.',
  keeps_stopping = "Quillon's server keeps stopping (%s). :Quillon log says why; "
    .. ':Quillon restart tries again.',
  signal = 'signal %d',
  exit_status = 'exit status %d',
  crashed_at = '%s at %s',
  left_alone = 'Quillon leaves this file alone: %s',
  no_file_buffer = 'it is no buffer of a file.',
  no_name = 'it has no name yet; save it.',
  not_here = 'it is no file on this machine.',
  too_large = 'it is larger than the option largest_file.',
  -- The command.
  command = 'Quillon: chat, explain, status, stop and more',
  unknown_subcommand = ':Quillon %s does not exist. There are: %s.',
  explain = 'Explain this code.',
  suggests = 'Quillon suggests: yes',
  suggests_not = 'Quillon suggests: no',
  needs_newer = 'Suggestions need Neovim 0.12.',
  -- Keys of suggestions.
  key_accept = 'Accept the suggestion',
  key_accept_word = 'Accept the next word of the suggestion',
  key_accept_line = 'Accept the next line of the suggestion',
  key_next = 'Next suggestion',
  key_previous = 'Previous suggestion',
  -- The state of the engine.
  silent = 'Quillon: silent',
  engine = 'Quillon: %s',
  engine_absent = 'model not loaded yet',
  engine_downloading = 'downloading the model',
  engine_loading = 'loading the model',
  engine_ready = 'ready',
  engine_busy = 'working',
  engine_failed = 'the engine failed',
  status_model = 'Model: %s',
  status_context = 'Context: %d tokens',
  status_speed = 'Speed: %.1f tokens/s',
  status_no_suggestion = 'No suggestion: %s',
  status_echoed = 'The last suggestion is what your open files say elsewhere.',
  -- The chat.
  ask_bar = 'Ask: <CR> sends, <C-c> stops, @ and # attach%<',
  still_answers = 'Quillon still answers. Stop it first with :Quillon stop.',
  answers_nothing = 'Quillon answers nothing at the moment.',
  no_answer = 'The server gave no answer.',
  server_stopped = 'The server stopped while it answered.',
  has_changed = '%s has changed since this was proposed. Ask again.',
  no_place = 'There is no place such as a.py:1 under the cursor.',
  no_file = 'There is no file %s.',
  nothing_selected = 'Nothing is selected; the question goes without #selection.',
  no_reference = 'There is no file or symbol %s; the question goes without it.',
  several = '%s is defined in %d places; the one in %s is attached.',
  you = 'You',
  waiting_change = 'Waiting for your approval. This is the change:',
  waiting_run = 'Waiting for your approval. This will run:',
  edit_hint = '`ga` applies it, `gx` discards it',
  state_proposed = 'proposed',
  state_running = 'running',
  state_done = 'done',
  state_failed = 'failed',
  state_denied = 'denied',
  state_applied = 'applied',
  state_discarded = 'discarded',
  end_length = 'The answer reached its longest length. Ask for the rest, or raise '
    .. 'quillon.chat.maxTokens (:help quillon-server).',
  end_cancelled = 'Stopped.',
  end_toolLimit = 'The turn reached its limit of tool calls. Ask it to go on, or raise '
    .. 'quillon.chat.maxToolCalls (:help quillon-server).',
  tokens = '%d tokens read (%d cached), %d written',
  speed = ', %.1f tokens/s',
  key_stop = 'Stop the answer',
  key_apply = 'Apply the edit under the cursor',
  key_discard = 'Discard the edit under the cursor',
  key_question = 'Edit the question under the cursor and send it again',
  key_close = 'Close the chat',
  key_follow = 'Open the place under the cursor',
  key_send = 'Send the question',
  -- Approvals.
  approve_change = 'Quillon: make this change?',
  approve_run = 'Quillon: run this?',
  allow_once = 'Allow once',
  allow_session = 'Allow in this conversation',
  deny = 'Deny',
  -- Previews of code actions.
  no_actions = 'There is nothing to change here.',
  preview_which = 'Preview which change?',
  preview_keys = 'ga applies, gx discards',
  key_preview_apply = 'Apply the change',
  key_preview_discard = 'Discard the change',
  -- Stored conversations.
  none_stored = 'There are no stored conversations.',
  conversations = 'Conversations',
  no_conversation = 'There is no conversation yet. Ask a question first.',
  renamed = 'The conversation is called %s now.',
  title = 'Title of the conversation: ',
  delete_which = 'Delete which conversation?',
  delete_sure = 'Delete “%s”? It cannot be brought back.',
  delete = 'Delete',
  keep = 'Keep',
  -- `:checkhealth quillon`
  health_old = 'Neovim 0.11 or newer is needed',
  health_update = 'Install a newer Neovim.',
  health_no_inline = 'No suggestions while typing: they need Neovim 0.12',
  health_rest_works = 'Everything else works.',
  health_install = 'Run `pip install .` in a clone of Quillon, or name the program: %s',
  health_not_started = '%s cannot be started: %s',
  health_no_version = '%s did not answer in %d seconds',
  health_program_failed = '%s failed: %s',
  health_not_quillon = '%s is not Quillon: it says %s',
  health_version = 'it is Quillon %s',
  health_server = 'The server',
  health_function = 'started by a function of your configuration',
  health_program = 'program: %s',
  health_not_enabled = 'not enabled',
  health_enable = "Call vim.lsp.enable('quillon') in your configuration.",
  health_left_alone = '%s is left alone: %s',
  health_stopped = 'the server stopped: %s',
  health_log_says = ':Quillon log says why; :Quillon restart.',
  health_not_running = 'not running',
  health_open_file = 'Open a file of a project; then run this again.',
  health_running = 'running: %s %s in %s',
  health_silent = 'The server does not answer.',
  health_restart = ':Quillon restart starts it again; :Quillon log says what it did.',
  health_model_failed = 'The model does not run.',
  health_doctor = 'Run `quillon doctor` in a terminal.',
  health_model_absent = 'The model is loaded when it is first needed.',
  health_embedded = 'The embedded model only shows how things work. `quillon model list` in a '
    .. 'terminal names better ones, and `quillon model pull NAME` downloads one.',
  health_log = 'log: %s',
}

---@type table<string, string>
M.zh = {
  no_server = "Quillon 服务器没有运行。请打开一个文件，并在配置中调用 vim.lsp.enable('quillon')；"
    .. '详情见 :checkhealth quillon。',
  starting = 'Quillon 仍在启动。请稍后再试。',
  waits_for_server = 'Quillon 仍在启动；启动后就会回答此问题。',
  not_started = 'Quillon 服务器没有启动。用 :Quillon restart 重试；详情见 :checkhealth quillon。',
  not_on_path = '在 PATH 上找不到可执行文件 %s',
  install = 'Quillon：%s。请在 Quillon 的克隆目录中运行 `pip install .`，或设置程序的路径；'
    .. '方法见 :checkhealth quillon。',
  keeps_stopping = 'Quillon 服务器反复停止（%s）。原因见 :Quillon log；用 :Quillon restart 重试。',
  signal = '信号 %d',
  exit_status = '退出状态 %d',
  crashed_at = '%s，时间 %s',
  left_alone = 'Quillon 不处理此文件：%s',
  no_file_buffer = '它不是文件的缓冲区。',
  no_name = '它还没有名称；请先保存。',
  not_here = '它不是本机上的文件。',
  too_large = '它超过了选项 largest_file 的大小。',
  command = 'Quillon：聊天、解释、状态、停止等',
  unknown_subcommand = '没有 :Quillon %s。可用的有：%s。',
  explain = '解释这段代码。',
  suggests = 'Quillon 建议：开',
  suggests_not = 'Quillon 建议：关',
  needs_newer = '建议需要 Neovim 0.12。',
  key_accept = '接受建议',
  key_accept_word = '接受建议的下一个词',
  key_accept_line = '接受建议的下一行',
  key_next = '下一个建议',
  key_previous = '上一个建议',
  silent = 'Quillon：建议已暂停',
  engine = 'Quillon：%s',
  engine_absent = '模型尚未加载',
  engine_downloading = '正在下载模型',
  engine_loading = '正在加载模型',
  engine_ready = '就绪',
  engine_busy = '正在工作',
  engine_failed = '引擎出错',
  status_model = '模型：%s',
  status_context = '上下文：%d 个 token',
  status_speed = '速度：%.1f token/秒',
  status_no_suggestion = '没有建议：%s',
  status_echoed = '上一条建议取自你打开的文件中别处的内容。',
  ask_bar = '提问：<CR> 发送，<C-c> 停止，@ 和 # 附加代码%<',
  still_answers = 'Quillon 仍在回答。请先用 :Quillon stop 停止。',
  answers_nothing = 'Quillon 目前没有在回答。',
  no_answer = '服务器没有给出回答。',
  server_stopped = '服务器在回答时停止了。',
  has_changed = '%s 在提出此修改后已发生变化。请重新提问。',
  no_place = '光标下没有 a.py:1 这样的位置。',
  no_file = '没有文件 %s。',
  nothing_selected = '没有选中任何内容；提问不带 #selection。',
  no_reference = '没有文件或符号 %s；提问不带它。',
  several = '%s 在 %d 处有定义；附加的是 %s 中的那一处。',
  you = '您',
  waiting_change = '等待您的批准。更改如下：',
  waiting_run = '等待您的批准。将要运行：',
  edit_hint = '`ga` 应用，`gx` 放弃',
  state_proposed = '等待',
  state_running = '运行中',
  state_done = '完成',
  state_failed = '失败',
  state_denied = '已拒绝',
  state_applied = '已应用',
  state_discarded = '已放弃',
  end_length = '回答已达到最大长度。请继续提问，或提高 quillon.chat.maxTokens（:help quillon-server）。',
  end_cancelled = '已停止。',
  end_toolLimit = '本轮已达到工具调用上限。请让它继续，或提高 quillon.chat.maxToolCalls（:help quillon-server）。',
  tokens = '读取 %d 个 token（缓存 %d 个），生成 %d 个',
  speed = '，%.1f token/秒',
  key_stop = '停止回答',
  key_apply = '应用光标下的修改',
  key_discard = '放弃光标下的修改',
  key_question = '编辑光标下的问题并重新发送',
  key_close = '关闭聊天',
  key_follow = '打开光标下的位置',
  key_send = '发送问题',
  approve_change = 'Quillon：是否进行此更改？',
  approve_run = 'Quillon：是否运行？',
  allow_once = '允许一次',
  allow_session = '在此对话中允许',
  deny = '拒绝',
  no_actions = '此处没有可做的更改。',
  preview_which = '预览哪项更改？',
  preview_keys = 'ga 应用，gx 放弃',
  key_preview_apply = '应用更改',
  key_preview_discard = '放弃更改',
  none_stored = '没有已保存的对话。',
  conversations = '对话',
  no_conversation = '还没有对话。请先提问。',
  renamed = '对话现在名为 %s。',
  title = '对话的标题：',
  delete_which = '删除哪个对话？',
  delete_sure = '删除“%s”？删除后无法恢复。',
  delete = '删除',
  keep = '保留',
  health_old = '需要 Neovim 0.11 或更高版本',
  health_update = '请安装更新的 Neovim。',
  health_no_inline = '输入时没有建议：需要 Neovim 0.12',
  health_rest_works = '其余功能均可使用。',
  health_install = '请在 Quillon 的克隆目录中运行 `pip install .`，或指定程序：%s',
  health_not_started = '无法启动 %s：%s',
  health_no_version = '%s 在 %d 秒内没有响应',
  health_program_failed = '%s 失败：%s',
  health_not_quillon = '%s 不是 Quillon：它输出了 %s',
  health_version = '它是 Quillon %s',
  health_server = '服务器',
  health_function = '由您配置中的函数启动',
  health_program = '程序：%s',
  health_not_enabled = '未启用',
  health_enable = "请在配置中调用 vim.lsp.enable('quillon')。",
  health_left_alone = '不处理 %s：%s',
  health_stopped = '服务器停止了：%s',
  health_log_says = '原因见 :Quillon log；用 :Quillon restart 重启。',
  health_not_running = '没有运行',
  health_open_file = '请打开项目中的一个文件，然后再次运行。',
  health_running = '运行中：%s %s，位于 %s',
  health_silent = '服务器没有响应。',
  health_restart = '用 :Quillon restart 重启；它做了什么见 :Quillon log。',
  health_model_failed = '模型无法运行。',
  health_doctor = '请在终端中运行 `quillon doctor`。',
  health_model_absent = '模型在首次需要时加载。',
  health_embedded = '内置模型只用于演示。在终端中运行 `quillon model list` 查看更好的模型，'
    .. '用 `quillon model pull NAME` 下载。',
  health_log = '日志：%s',
}

--- Neovim's language as the protocol writes it, such as `zh-CN`; nil where it has none, as in `C`.
---@return string?
function M.locale()
  local lang = vim.v.lang
  if vim.startswith(lang, 'Chinese') then -- as Windows calls it
    return 'zh-CN'
  end
  local language, region = lang:match('^(%l%l%l?)_(%u%u)')
  return language and language .. '-' .. region or lang:match('^%l%l%l?%f[%L]')
end

---@return table<string, string>
local function chosen()
  return vim.startswith(M.locale() or '', 'zh') and M.zh or M.en
end

--- The words of a key, in Neovim's language, with these values in their places.
---@param key string
---@param ... any
---@return string
function M.say(key, ...)
  local text = chosen()[key]
  return select('#', ...) > 0 and text:format(...) or text
end

--- The words for a state that the server names; nil for one that it has got since.
---@param kind 'engine_'|'state_'|'end_'
---@param state string
---@return string?
function M.state(kind, state)
  return chosen()[kind .. state]
end

return M
