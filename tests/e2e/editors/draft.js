import { Editor, EditorState, RichUtils } from "draft-js";
import { createElement, useState } from "react";
import { createRoot } from "react-dom/client";

function Page() {
  const [state, setState] = useState(() => EditorState.createEmpty());
  globalThis.model = () => state.getCurrentContent().getPlainText();
  const handleKeyCommand = (command, now) => {
    const next = RichUtils.handleKeyCommand(now, command);
    if (next) setState(next);
    return next ? "handled" : "not-handled";
  };
  return createElement(Editor, { editorState: state, onChange: setState, handleKeyCommand });
}
createRoot(document.querySelector("#place")).render(createElement(Page));
const look = () => {
  globalThis.field = document.querySelector("#place [contenteditable]");
  if (!globalThis.field) requestAnimationFrame(look);
};
look();
