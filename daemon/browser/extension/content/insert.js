// Text is put into a field as typing puts it there: the page is told, and undoing takes it back.
idiolect.insert ??= (() => {
  /** What the page's scripts are told before; true where they deal with it themselves, as many editors do. */
  function isTakenOver(target, inputType, data) {
    const about = { inputType, data, bubbles: true, cancelable: true, composed: true };
    return !target.dispatchEvent(new InputEvent("beforeinput", about));
  }

  /** Which element hears of what is typed. */
  const targetOf = ({ element, kind }) => (kind === "plain" ? element : element);

  /** Firefox tells a page by itself before it carries out a command; Chromium does not. */
  const tellsItself = !("chrome" in globalThis && navigator.userAgent.includes("Chrome/"));

  function carryOut(field, command, inputType, text) {
    if (!tellsItself && isTakenOver(targetOf(field), inputType, text)) return;
    document.execCommand(command, false, text ?? undefined);
  }

  /** Select so many characters before the cursor, which what is put in then replaces. */
  function selectBefore(field, count) {
    if (field.kind === "plain") {
      const { selectionEnd: end, value } = field.element;
      const start = end - [...value.slice(0, end)].slice(-count).join("").length;
      field.element.setSelectionRange(start, end);
      return;
    }
    const selection = document.getSelection();
    for (let step = 0; step < count; step++) selection.modify("extend", "backward", "character");
  }

  /** Put `text` in at the cursor, in place of `replaced` characters (code points) before it. */
  function put(field, text, replaced = 0) {
    if (replaced > 0) selectBefore(field, replaced);
    carryOut(field, "insertText", "insertText", text);
  }

  /** Take away the character before the cursor. */
  function takeBack(field) {
    carryOut(field, "delete", "deleteContentBackward", null);
  }

  return { put, takeBack };
})();
