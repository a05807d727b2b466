import { Editor } from "@tiptap/core";
import StarterKit from "@tiptap/starter-kit";

const editor = new Editor({ element: document.querySelector("#place"), extensions: [StarterKit] });
globalThis.model = () => editor.getText();
globalThis.field = editor.view.dom;
