import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { EditorView, keymap } from "@codemirror/view";

const view = new EditorView({
  parent: document.querySelector("#place"),
  extensions: [history(), keymap.of([...defaultKeymap, ...historyKeymap]), EditorView.lineWrapping],
});
globalThis.model = () => view.state.doc.toString();
globalThis.field = view.contentDOM;
/** Have it hold another text, with the cursor at its end. */
globalThis.fill = (text) => {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: text.length } });
};
