"""VS Code's side of the language server: how it starts one, what it tells it, and what it makes of one that fails."""

import json
import subprocess
import sys
from importlib import resources

import pytest

# As much of VS Code as the extension uses, and a scene that is played with it.
SCENE = r"""
const told = [], made = {};
const path = process.argv[2], settings = JSON.parse(process.argv[3]);
const document = (text, languageId = "markdown") => ({
  uri: { scheme: "file", toString: () => `file:///${text.length}.md` }, languageId, version: 1, getText: () => text,
});
const hear = (name) => (handler) => void (made[name] = handler);
const vscode = {
  version: "1",
  window: { showErrorMessage: (text) => told.push(text), showWarningMessage: (text) => told.push(text) },
  workspace: {
    textDocuments: [document("é€𝒜")],
    getConfiguration: () => ({ get: (name) => settings[name] }),
    onDidOpenTextDocument: hear("open"), onDidChangeTextDocument: hear("change"),
    onDidSaveTextDocument: hear("save"), onDidCloseTextDocument: hear("close"),
  },
  languages: {
    registerCompletionItemProvider: (_, provider) => (made.words = provider.provideCompletionItems),
    registerCodeActionsProvider: (_, provider) => (made.actions = provider.provideCodeActions),
    registerOnTypeFormattingEditProvider: (_, provider) => (made.mendings = provider.provideOnTypeFormattingEdits),
    registerInlineCompletionItemProvider: (_, provider) => (made.ghosts = provider.provideInlineCompletionItems),
  },
  commands: { registerCommand: (name, run) => (made[name] = run) },
  Range: class { constructor(...ends) { this.ends = ends; } },
  CompletionItem: class { constructor(label) { this.label = label; } },
  CompletionList: class { constructor(items) { this.items = items; } },
  InlineCompletionItem: class { constructor(text) { this.text = text; } },
  CodeAction: class { constructor(title) { this.title = title; } }, CodeActionKind: {},
  CompletionItemKind: {}, InlineCompletionTriggerKind: { Invoke: 0 },
};
const Module = require("node:module"), load = Module._load;
Module._load = (name, ...more) => (name === "vscode" ? vscode : load(name, ...more));
const extension = require(path);
const at = { line: 0, character: 4 };
(async () => {
  extension.activate({ subscriptions: [] });
  const second = document("later");
  vscode.workspace.textDocuments.push(second);
  made.open(second); // before the server can have answered
  const answers = [];
  for (let asked = 0; asked < settings.asked; asked++) {
    const coming = made.words(second, at);
    if (settings.typed) second.version++; // another key, while the answer is under way
    answers.push((await coming).items.map((item) => item.label));
    await new Promise((resolve) => setTimeout(resolve, settings.pause ?? 0));
  }
  made.close(second);
  made["idiolect.accepted"]({ kind: "word" });
  await extension.deactivate();
  console.log(JSON.stringify({ told, answers }));
  process.exit();
})();
"""
# A server that notes what it is told, and answers in pieces of three bytes.
SERVER = r"""
import json, sys
log = open(sys.argv[1], "a", encoding="utf-8")
def answer(message):
    body = json.dumps(message, ensure_ascii=False).encode()
    raw = b"Content-Length: %d\r\n\r\n" % len(body) + body
    for start in range(0, len(raw), 3):
        sys.stdout.buffer.write(raw[start : start + 3])
        sys.stdout.flush()
while head := sys.stdin.buffer.readline():
    sys.stdin.buffer.readline()
    message = json.loads(sys.stdin.buffer.read(int(head.split(b":")[1])))
    print(json.dumps(message), file=log, flush=True)
    if message["method"] == sys.argv[2]:
        break
    if "id" in message:
        place = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 4}}
        items = [{"label": "Łódź’s 𝒜", "textEdit": {"range": place, "newText": "x"}}]
        found = {"items": items} if message["method"] == "textDocument/completion" else None
        answer({"jsonrpc": "2.0", "id": message["id"], "result": found})
"""


@pytest.fixture
def play(needs_program, tmp_path):
    """`play(command, asked=1)`: what the user was told and offered, and what the server was told."""
    node = needs_program("node", "nodejs")
    scene, log = tmp_path / "scene.js", tmp_path / "log"
    scene.write_text(SCENE, encoding="utf-8")
    (tmp_path / "server.py").write_text(SERVER, encoding="utf-8")
    extension = resources.files("idiolect.daemon.clients.editors").joinpath("vscode", "extension.js")

    def played(command=None, dies_at="never", **more):
        command = command or [sys.executable, str(tmp_path / "server.py"), str(log), dies_at]
        settings = {
            "command": command,
            "languages": ["markdown"],
            "learn": True,
            "words": 3,
            "asked": 1,
            **more,
        }
        done = subprocess.run(
            [node, str(scene), str(extension), json.dumps(settings)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        )
        told = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return json.loads(done.stdout), told

    return played


def test_words_for_another_text_are_not_offered(play):
    found, _ = play(typed=True)
    assert found == {"told": [], "answers": [[]]}


@pytest.mark.parametrize("command", [["/nowhere/idiolect", "lsp"], "idiolect lsp", []])
def test_a_server_that_cannot_be_started_is_told_of_once_and_nobody_waits_for_it(play, command):
    found, _ = play(command or [[]], asked=3)
    assert found["answers"] == [[], [], []]
    assert len(found["told"]) == 1
    assert "idiolect.command" in found["told"][0]


def test_a_server_that_ends_is_started_again_and_after_three_times_no_more(play):
    found, told = play(dies_at="textDocument/completion", asked=6, pause=1500)
    assert found["answers"] == [[]] * 6
    assert [message["method"] for message in told].count("initialize") == 4
    assert len(found["told"]) == 1
