// Text is put into a field as typing puts it there: the page is told, and undoing takes it back, and no more than it.
idiolect.insert ??= (() => {
  const { now, text, telling } = idiolect;
  const MAX_HIDDEN = 8; // characters of a field that its text does not hold, such as a second space

  /** What the page's scripts are told before; true where they deal with it themselves, as many editors do. */
  function isTakenOver({ element }, inputType, data) {
    const about = { inputType, data, bubbles: true, cancelable: true, composed: true };
    return !element.dispatchEvent(new InputEvent("beforeinput", about));
  }

  function carryOut(field, command, inputType, data) {
    // Firefox tells a page by itself before it carries out a command; Chromium does not.
    if (now.isChromium && isTakenOver(field, inputType, data)) return;
    document.execCommand(command, false, data ?? undefined);
  }

  /** Select this text before the cursor, which what is put in then replaces; whether it stands there. */
  function selectBefore(field, going) {
    if (field.kind === "plain") {
      const { selectionEnd: end, value } = field.element;
      if (!value.slice(0, end).endsWith(going)) return false;
      field.element.setSelectionRange(end - going.length, end);
      return true;
    }
    const selection = document.getSelection();
    for (const _ of going) selection.modify("extend", "backward", "character");
    const isSelected = () => ["", going].includes(text.selected(field));
    for (let more = 0; more < MAX_HIDDEN && !isSelected(); more++) {
      selection.modify("extend", "backward", "character");
    }
    if (!isSelected()) {
      selection.collapseToEnd();
      return false;
    }
    document.dispatchEvent(new Event("selectionchange")); // editors look at it only then, which is later by itself
    return true;
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

  /** Put `coming` in at the cursor, in place of the text `going` before it; false where that does not stand there. */
  function put(field, coming, going = "") {
    now.typedAt = performance.now();
    return telling.put(coming, going !== "", () => {
      closeStep(field);
      if (going !== "" && !selectBefore(field, going)) return false;
      carryOut(field, "insertText", "insertText", coming);
      closeStep(field);
      return true;
    });
  }

  /** Take away the character before the cursor. */
  function takeBack(field) {
    telling.put("", true, () => carryOut(field, "delete", "deleteContentBackward", null));
  }

  /** Where something is selected, have the cursor stand behind it. */
  function unselect({ element, kind }) {
    if (kind === "plain") element.setSelectionRange(element.selectionEnd, element.selectionEnd);
    else if (!document.getSelection().isCollapsed) document.getSelection().collapseToEnd();
  }

  return { put, takeBack, unselect };
})();
