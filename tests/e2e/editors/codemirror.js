import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { EditorView, keymap } from "@codemirror/view";

const view = new EditorView({
  parent: document.querySelector("#place"),
  extensions: [history(), keymap.of([...defaultKeymap, ...historyKeymap]), EditorView.lineWrapping],
});
globalThis.model = () => view.state.doc.toString();
globalThis.field = view.contentDOM;
