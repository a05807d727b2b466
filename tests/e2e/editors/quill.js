import Quill from "quill";

const quill = new Quill("#place");
globalThis.model = () => quill.getText().replace(/\n$/, "");
globalThis.field = quill.root;
