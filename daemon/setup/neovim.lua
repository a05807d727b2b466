-- idiolect: words in the menu while you type prose, and grey text where your Neovim can show it.
local filetypes = { 'markdown', 'text', 'mail', 'gitcommit', 'rst', 'org', 'tex' }
local config = {
  name = 'idiolect',
  cmd = @COMMAND@,
  cmd_env = @ENVIRONMENT@,
  init_options = { learn = true },
}

vim.opt.completeopt = { 'menuone', 'noselect' }

-- Neovim 0.10 and older have no menu that opens by itself: this asks at each key, and shows an answer only for the
-- text that it was asked for.
local function ask(client, buffer)
  if vim.fn.pumvisible() == 1 and vim.fn.complete_info({ 'selected' }).selected ~= -1 then
    return -- an item is chosen: the menu stays
  end
  local tick = vim.api.nvim_buf_get_changedtick(buffer)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  client.request('textDocument/completion', params, function(_, found)
    local same = vim.api.nvim_get_current_buf() == buffer and vim.api.nvim_buf_get_changedtick(buffer) == tick
    if not same or vim.api.nvim_get_mode().mode:sub(1, 1) ~= 'i' or not found or #found.items == 0 then
      return
    end
    local words = {}
    for _, item in ipairs(found.items) do
      table.insert(words, { word = item.textEdit.newText, menu = 'idiolect', user_data = { idiolect = item.command } })
    end
    local before = vim.api.nvim_get_current_line():sub(1, vim.api.nvim_win_get_cursor(0)[2])
    local start = #before - #(before:match('[%w\128-\255\'-]*$') or '')
    vim.fn.complete(start + 1, words)
  end, buffer)
end

local function menu(client, buffer)
  if vim.lsp.completion then
    vim.lsp.completion.enable(true, client.id, buffer, { autotrigger = true })
  end
  vim.api.nvim_create_autocmd({ 'TextChangedI', 'TextChangedP' }, {
    buffer = buffer,
    callback = function() ask(client, buffer) end,
  })
  vim.api.nvim_create_autocmd('CompleteDone', {
    buffer = buffer,
    callback = function()
      local taken = type(vim.v.completed_item.user_data) == 'table' and vim.v.completed_item.user_data.idiolect
      if taken then
        client.request('workspace/executeCommand', { command = taken.command, arguments = taken.arguments }, function() end)
      end
    end,
  })
end

local function attached(client, buffer)
  menu(client, buffer)
  ask(client, buffer) -- what was typed before the server was there
  if vim.lsp.inline_completion then
    vim.lsp.inline_completion.enable(true, { bufnr = buffer })
    vim.keymap.set('i', '<Tab>', function()
      return vim.lsp.inline_completion.get() and '' or '<Tab>'
    end, { expr = true, buffer = buffer })
  end
end

config.on_attach = attached
vim.api.nvim_create_autocmd('FileType', {
  pattern = filetypes,
  callback = function(args) vim.lsp.start(config, { bufnr = args.buf }) end,
})
