import { createEmptyHistoryState, registerHistory } from "@lexical/history";
import { registerRichText } from "@lexical/rich-text";
import { $getRoot, createEditor } from "lexical";

const place = document.querySelector("#place");
place.contentEditable = "true";
const editor = createEditor({ onError: (error) => { throw error; } });
editor.setRootElement(place);
registerRichText(editor);
registerHistory(editor, createEmptyHistoryState(), 300);
globalThis.model = () => editor.getEditorState().read(() => $getRoot().getTextContent());
globalThis.field = place;
