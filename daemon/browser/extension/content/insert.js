// Text is put into a field as typing puts it there: the page is told, and undoing takes it back, and no more than it.
idiolect.insert ??= (() => {
  const { now, learning } = idiolect;

  /** What the page's scripts are told before; true where they deal with it themselves, as many editors do. */
  function isTakenOver({ element }, inputType, data) {
    const about = { inputType, data, bubbles: true, cancelable: true, composed: true };
    return !element.dispatchEvent(new InputEvent("beforeinput", about));
  }

  function carryOut(field, command, inputType, text) {
    // Firefox tells a page by itself before it carries out a command; Chromium does not.
    if (now.isChromium && isTakenOver(field, inputType, text)) return;
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
    document.dispatchEvent(new Event("selectionchange")); // editors look at it only then, which is later by itself
  }

  /** End what undoing takes back in one step: a browser joins all that is typed with the cursor not moved meanwhile. */
  function closeStep({ element, kind }) {
    if (kind === "plain") {
      const { selectionStart: start, selectionEnd: end } = element;
      element.setSelectionRange(0, 0);
      element.setSelectionRange(start, end);
      return;
    }
    const { anchorNode: node, anchorOffset: offset, isCollapsed } = document.getSelection();
    if (!isCollapsed || !element.contains(node)) return; // in a shadow tree it cannot be moved so
    document.getSelection().collapse(element, 0);
    document.getSelection().collapse(node, offset);
  }

  /** Put `text` in at the cursor, in place of `replaced` characters (code points) before it. */
  function put(field, text, replaced = 0) {
    now.typedAt = performance.now();
    learning.note();
    closeStep(field);
    if (replaced > 0) selectBefore(field, replaced);
    carryOut(field, "insertText", "insertText", text);
    closeStep(field);
  }

  /** Take away the character before the cursor. */
  function takeBack(field) {
    carryOut(field, "delete", "deleteContentBackward", null);
  }

  /** Where something is selected, have the cursor stand behind it. */
  function unselect({ element, kind }) {
    if (kind === "plain") element.setSelectionRange(element.selectionEnd, element.selectionEnd);
    else if (!document.getSelection().isCollapsed) document.getSelection().collapseToEnd();
  }

  return { put, takeBack, unselect };
})();
