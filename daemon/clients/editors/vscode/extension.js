// Between VS Code and `idiolect lsp`, the language server: words in the menu, ghost texts behind the cursor.
//
// A language client of its own, of what the server needs and no more, so that it runs without any other package.
"use strict";

const { spawn } = require("node:child_process");
const vscode = require("vscode");

const NAME = "Visual Studio Code";
const RESTARTS = 3; // of a server that ends by itself, within a minute
const MINUTE_MS = 60000;
const PAUSE_MS = 1000;

/** A server process, spoken to in JSON-RPC with the protocol's `Content-Length` headers. */
class Connection {
  /** `ended(why, runs)` is called once: `runs` is whether there was such a program at all. */
  constructor(command, ended) {
    this.waiting = new Map();
    this.asked = 0;
    this.read = Buffer.alloc(0);
    this.server = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "ignore"] });
    this.server.stdout.on("data", (data) => this.take(data));
    this.server.stdin.on("error", () => {}); // it has gone: "exit" tells
    const end = (why, runs) => {
      if (this.gone) return;
      this.gone = new Error(why);
      for (const { reject } of this.waiting.values()) reject(this.gone);
      this.waiting.clear();
      ended(why, runs);
    };
    this.server.on("error", () => end(`'${command[0]}' can't be run`, false));
    this.server.on("exit", () => end("the language server has ended", true));
  }

  request(method, params, cancellation) {
    if (this.gone) return Promise.reject(this.gone);
    const id = ++this.asked;
    const cancelled = cancellation?.onCancellationRequested(() => this.notify("$/cancelRequest", { id }));
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send({ id, method, params });
    }).finally(() => cancelled?.dispose());
  }

  notify(method, params) {
    this.send({ method, params });
  }

  send(message) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    this.server.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.server.stdin.write(body);
  }

  take(data) {
    this.read = Buffer.concat([this.read, data]);
    for (;;) {
      const head = this.read.indexOf("\r\n\r\n");
      if (head < 0) return;
      const start = head + 4;
      const length = /Content-Length: (\d+)/i.exec(this.read.toString("ascii", 0, head));
      if (!length) return void this.server.kill(); // that is no language server
      const end = start + Number(length[1]);
      if (this.read.length < end) return;
      const message = JSON.parse(this.read.toString("utf8", start, end));
      this.read = this.read.subarray(end);
      this.answered(message);
    }
  }

  answered(message) {
    if (message.method === "window/showMessage") vscode.window.showWarningMessage(message.params.message);
    else if (message.method && message.id !== undefined) this.send({ id: message.id, result: null });
    const asker = !message.method && this.waiting.get(message.id);
    if (!asker) return;
    this.waiting.delete(message.id);
    if (message.error) asker.reject(new Error(message.error.message));
    else asker.resolve(message.result);
  }
}

const place = (position) => ({ line: position.line, character: position.character });
const span = (range) => ({ start: place(range.start), end: place(range.end) });
const range = (of) => new vscode.Range(of.start.line, of.start.character, of.end.line, of.end.character);
const named = (document) => ({ uri: document.uri.toString() });

/** A session with the server, which is started for the first document that it is to hear of. */
class Session {
  constructor(settings) {
    this.settings = settings;
    this.languages = settings.get("languages");
    this.ready = false; // from when on the server may be told of documents
    this.ends = []; // when it ended by itself
  }

  covers(document) {
    return ["file", "untitled"].includes(document.uri.scheme) && this.languages.includes(document.languageId);
  }

  /** Whether the server hears of a document. */
  tells(document) {
    return this.ready && this.covers(document);
  }

  async start() {
    const command = this.settings.get("command");
    if (!Array.isArray(command) || !command.length || command.some((part) => typeof part !== "string"))
      return this.complain("the command must be a list, of a program and its arguments");
    this.connection = new Connection(command, (why, runs) => this.ended(why, runs));
    try {
      await this.connection.request("initialize", this.introduction());
    } catch (error) {
      if (!this.connection.gone) this.complain(error.message);
      return;
    }
    if (this.closed) return;
    this.connection.notify("initialized", {});
    this.ready = true;
    for (const document of vscode.workspace.textDocuments) this.open(document);
  }

  introduction() {
    return {
      processId: process.pid,
      rootUri: null,
      clientInfo: { name: NAME, version: vscode.version },
      capabilities: { general: { positionEncodings: ["utf-16"] } },
      initializationOptions: {
        learn: this.settings.get("learn"),
        words: this.settings.get("words"),
        ghost_words: this.settings.get("ghostWords"),
        after_space: this.settings.get("afterSpace"),
        languages: this.languages,
      },
    };
  }

  ended(why, runs) {
    this.ready = false;
    if (this.closed) return;
    const now = Date.now();
    this.ends = [...this.ends.filter((at) => now - at < MINUTE_MS), now];
    if (!runs || this.ends.length > RESTARTS) this.complain(why);
    else this.started = new Promise((resolve) => setTimeout(resolve, PAUSE_MS)).then(() => this.closed || this.start());
  }

  complain(why) {
    vscode.window.showErrorMessage(`idiolect: ${why}. Run 'idiolect doctor', and look at the setting idiolect.command.`);
  }

  async ask(method, document, position, more, cancellation) {
    await this.started;
    if (!this.tells(document) || cancellation?.isCancellationRequested) return null;
    try {
      const params = { textDocument: named(document), position: place(position), ...more };
      return await this.connection.request(method, params, cancellation);
    } catch {
      return null; // it was cancelled, or the server has gone; the next key asks again
    }
  }

  open(document) {
    if (this.covers(document)) this.started ??= this.start(); // which opens all that are there
    if (!this.tells(document)) return;
    const { languageId, version } = document;
    const opened = { ...named(document), languageId, version, text: document.getText() };
    this.connection.notify("textDocument/didOpen", { textDocument: opened });
  }

  changed({ document, contentChanges }) {
    if (!this.tells(document) || !contentChanges.length) return;
    this.connection.notify("textDocument/didChange", {
      textDocument: { ...named(document), version: document.version },
      contentChanges: contentChanges.map((change) => ({ range: span(change.range), text: change.text })),
    });
  }

  saved(document) {
    if (!this.tells(document)) return;
    this.connection.notify("textDocument/didSave", { textDocument: named(document), text: document.getText() });
  }

  left(document) {
    if (this.tells(document)) this.connection.notify("textDocument/didClose", { textDocument: named(document) });
  }

  async words(document, position, cancellation) {
    const { version } = document;
    const found = await this.ask("textDocument/completion", document, position, {}, cancellation);
    if (document.version !== version) return new vscode.CompletionList([], true); // it was for another text
    const items = (found?.items ?? []).map((item) => {
      const word = new vscode.CompletionItem(item.label, vscode.CompletionItemKind.Text);
      word.sortText = item.sortText;
      word.filterText = item.filterText;
      word.range = range(item.textEdit.range);
      word.insertText = item.textEdit.newText;
      word.command = item.command;
      return word;
    });
    return new vscode.CompletionList(items, true);
  }

  async ghosts(document, position, context, cancellation) {
    if (context.selectedCompletionInfo) return [];
    const asked = context.triggerKind === vscode.InlineCompletionTriggerKind.Invoke;
    const more = { context: { triggerKind: asked ? 1 : 2 } };
    const { version } = document;
    const found = await this.ask("textDocument/inlineCompletion", document, position, more, cancellation);
    if (document.version !== version) return [];
    return (found?.items ?? []).map(
      (item) => new vscode.InlineCompletionItem(item.insertText, range(item.range), item.command),
    );
  }

  /** What can be done about a word there: mended, if it is mistyped, or decided that it is never suggested, or always. */
  async decisions(document, where, cancellation) {
    const more = { range: span(where), context: { diagnostics: [] } };
    const found = await this.ask("textDocument/codeAction", document, where.start, more, cancellation);
    return (found ?? []).map(({ title, command, kind, edit, isPreferred }) => {
      const { QuickFix, RefactorRewrite } = vscode.CodeActionKind;
      const action = new vscode.CodeAction(title, kind === "quickfix" ? QuickFix : RefactorRewrite);
      if (command) action.command = command;
      for (const change of edit?.changes[document.uri.toString()] ?? []) {
        action.edit ??= new vscode.WorkspaceEdit();
        action.edit.replace(document.uri, range(change.range), change.newText);
      }
      if (isPreferred) action.isPreferred = true;
      return action;
    });
  }

  /** What mends the word that a character has just ended. */
  async mendings(document, position, ch, cancellation) {
    const { version } = document;
    const more = { ch, options: { tabSize: 4, insertSpaces: true } };
    const found = await this.ask("textDocument/onTypeFormatting", document, position, more, cancellation);
    if (document.version !== version) return [];
    return (found ?? []).map((edit) => new vscode.TextEdit(range(edit.range), edit.newText));
  }

  run(command, given) {
    const what = { command, arguments: [given] };
    if (this.ready) this.connection.request("workspace/executeCommand", what).catch(() => {});
  }

  /** Let the server learn what was saved, and go. */
  async close() {
    this.closed = true;
    if (!this.ready) return void this.connection?.server.kill();
    await this.connection.request("shutdown", null).catch(() => {});
    this.connection.notify("exit", null);
  }
}

let session;

function activate(context) {
  const settings = () => vscode.workspace.getConfiguration("idiolect");
  session = new Session(settings());
  const languages = session.languages.map((language) => ({ language }));
  const words = { provideCompletionItems: (document, at, cancellation) => session.words(document, at, cancellation) };
  const ghosts = {
    provideInlineCompletionItems: (document, at, about, cancellation) => session.ghosts(document, at, about, cancellation),
  };
  const spaces = settings().get("afterSpace") ? [" "] : [];
  context.subscriptions.push(
    vscode.languages.registerCompletionItemProvider(languages, words, ...spaces),
    vscode.languages.registerInlineCompletionItemProvider(languages, ghosts),
    vscode.languages.registerCodeActionsProvider(languages, {
      provideCodeActions: (document, where, _about, cancellation) => session.decisions(document, where, cancellation),
    }),
    vscode.languages.registerOnTypeFormattingEditProvider(languages, {
      provideOnTypeFormattingEdits: (document, at, ch, _options, cancellation) => session.mendings(document, at, ch, cancellation),
    }, ..." .,;:!?)"),
    ...["idiolect.accepted", "idiolect.decided"].map((name) =>
      vscode.commands.registerCommand(name, (given) => session.run(name, given))),
    vscode.workspace.onDidOpenTextDocument((document) => session.open(document)),
    vscode.workspace.onDidChangeTextDocument((change) => session.changed(change)),
    vscode.workspace.onDidSaveTextDocument((document) => session.saved(document)),
    vscode.workspace.onDidCloseTextDocument((document) => session.left(document)),
  );
  for (const document of vscode.workspace.textDocuments) session.open(document);
}

function deactivate() {
  return session?.close();
}

module.exports = { activate, deactivate };
