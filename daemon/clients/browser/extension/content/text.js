// What stands before and after the cursor of a field.
idiolect.text ??= (() => {
  const BEFORE_CHARS = 4000; // more than the service looks at
  const AFTER_CHARS = 400;
  const WHOLE_CHARS = 200000; // of a field to be learned from, and of a plain one to be looked at
  const BLOCK_CHARS = 1024; // compared at once
  const NODES_A_CHAR = 4; // an editor may have an element for each character; more than this is no text
  const SKIPPED = "SCRIPT, STYLE, NOSCRIPT, TEXTAREA, INPUT, SELECT, BUTTON, SVG, IMG, OBJECT, IFRAME, VIDEO, CANVAS";
  const QUOTED = "blockquote, .gmail_quote, .gmail_signature, .moz-cite-prefix, .moz-signature, [data-idiolect-quote]";
  const skippedNames = new Set(SKIPPED.split(", "));
  const styles = new WeakMap();

  /** Whether an element begins and ends a line, by its style, which is asked once. */
  function isBlock(element) {
    let known = styles.get(element);
    if (known === undefined) {
      known = !/^(?:inline|contents|ruby|none)/.test(getComputedStyle(element).display);
      styles.set(element, known);
    }
    return known;
  }

  const keepsSpaces = (element) => /^(?:pre|break)/.test(getComputedStyle(element).whiteSpace);

  function isSkipped(node, host) {
    if (node.nodeType !== Node.ELEMENT_NODE) return false;
    return skippedNames.has(node.nodeName.toUpperCase()) || (node !== host && node.contentEditable === "false");
  }

  /** Half of a character that two code units make is no text. */
  const whole = (text) => text.replace(/^[\uDC00-\uDFFF]/, "").replace(/[\uD800-\uDBFF]$/, "");

  /** Of a text that was cut off: from the start of a line or sentence, so that it begins at the same place at the next key. */
  function anchored(text) {
    if (text.length < BEFORE_CHARS) return text;
    const half = text.slice(0, BEFORE_CHARS / 2);
    for (const end of ["\n", ". ", " "]) {
      const at = half.indexOf(end);
      if (at >= 0) return text.slice(at + end.length);
    }
    return text;
  }

  function clean(text, kept) {
    const plain = text.replaceAll("\u00A0", " ").replace(/[\u200B\u2060\uFEFF]/g, "");
    return kept ? plain : plain.replace(/[ \t\r\f]*\n[ \t\r\f]*/g, "\n").replace(/[ \t\r\f]+/g, " ");
  }

  /**
   * The text on one side of a place in an edited element, up to `most` characters. Blocks and line breaks end lines.
   *
   * `step` is -1 for what is before the place and 1 for what is after it; either way the nearest is read first. Elements
   * that `without` selects are passed over.
   */
  function gather(host, container, offset, step, most, without = null) {
    const kept = keepsSpaces(host);
    const parts = [];
    let length = 0;
    const add = (text) => {
      parts.push(text);
      length += text.length;
    };
    const endLine = () => {
      if (parts.at(-1) !== "\n") add("\n");
    };
    const read = (data) => {
      if (kept) return data && add(data);
      if (data.trim() !== "" || !data.includes("\n")) return data && add(data.replace(/\n/g, " "));
    };
    /** The node beyond one, in the direction of reading; null at the host's end. */
    const beyond = (node) => {
      for (let at = node; at && at !== host; at = at.parentNode) {
        if (at.nodeType === Node.ELEMENT_NODE && isBlock(at)) endLine();
        const beside = step < 0 ? at.previousSibling : at.nextSibling;
        if (beside) return beside;
      }
      return null;
    };
    let at;
    if (container.nodeType === Node.TEXT_NODE) {
      read(step < 0 ? container.data.slice(0, offset) : container.data.slice(offset));
      at = beyond(container);
    } else {
      at = container.childNodes[step < 0 ? offset - 1 : offset] ?? beyond(container);
    }
    for (let left = NODES_A_CHAR * most; at && length < most && left > 0; left--) {
      let inner = null;
      if (at.nodeType === Node.TEXT_NODE) read(at.data);
      else if (at.nodeName === "BR") add("\n");
      else if (at.nodeType === Node.ELEMENT_NODE && !isSkipped(at, host) && !(without && at.matches(without))) {
        if (isBlock(at)) endLine();
        inner = step < 0 ? at.lastChild : at.firstChild;
      }
      at = inner ?? beyond(at);
    }
    const text = (step < 0 ? parts.reverse() : parts).join("");
    return clean(step < 0 ? text.slice(-most) : text.slice(0, most), kept);
  }

  /** The selection that a field's root has; in a shadow tree the browser tells it by another way. */
  function selectionOf(field) {
    const root = field.element.getRootNode();
    const selection = (root.getSelection ?? document.getSelection).call(root.getSelection ? root : document);
    if (!(root instanceof ShadowRoot) || root.getSelection) return rangeOf(selection);
    const [found] = selection.getComposedRanges?.({ shadowRoots: [root] }) ?? [];
    return found ?? rangeOf(selection);
  }

  function rangeOf(selection) {
    return selection && selection.rangeCount > 0 ? selection.getRangeAt(0) : null;
  }

  /** `{ prefix, suffix }`; null where something is selected, the cursor is not in the field, or that is far too long. */
  function around(field) {
    const { element, kind } = field;
    if (kind === "plain") {
      const { selectionStart: start, selectionEnd: end, value } = element;
      if (start === null || start !== end || value.length > WHOLE_CHARS) return null;
      return {
        prefix: whole(anchored(value.slice(Math.max(0, start - BEFORE_CHARS), start))),
        suffix: whole(value.slice(start, start + AFTER_CHARS)),
      };
    }
    const range = selectionOf(field);
    if (!range || range.startContainer !== range.endContainer || range.startOffset !== range.endOffset) return null;
    if (!element.contains(range.startContainer)) return null;
    return {
      prefix: whole(anchored(gather(element, range.startContainer, range.startOffset, -1, BEFORE_CHARS))),
      suffix: whole(gather(element, range.startContainer, range.startOffset, 1, AFTER_CHARS)),
    };
  }

  /** All that its user may have written in a field: without what is quoted; null where that is far too much. */
  function all({ element, kind }) {
    if (kind === "plain") return element.value.length > WHOLE_CHARS ? null : element.value;
    if (element.textContent.length > WHOLE_CHARS) return null;
    return gather(element, element, element.childNodes.length, -1, WHOLE_CHARS, QUOTED);
  }

  /** How many characters two texts begin with alike, and how many of the rest they end with alike: whole ones. */
  function alike(one, other) {
    const most = Math.min(one.length, other.length);
    let [start, end] = [0, 0];
    while (start + BLOCK_CHARS <= most && one.slice(start, start + BLOCK_CHARS) === other.slice(start, start + BLOCK_CHARS)) start += BLOCK_CHARS;
    while (start < most && one[start] === other[start]) start++;
    if (/[\uD800-\uDBFF]/.test(one[start - 1] ?? "")) start--;
    const last = (text) => text.slice(text.length - end - BLOCK_CHARS, text.length - end);
    while (start + end + BLOCK_CHARS <= most && last(one) === last(other)) end += BLOCK_CHARS;
    while (start + end < most && one[one.length - 1 - end] === other[other.length - 1 - end]) end++;
    if (/[\uDC00-\uDFFF]/.test(one[one.length - end] ?? "")) end--;
    return { start, end };
  }

  /** What is selected in an edited element, as `around` tells it; "" in a shadow tree, where nobody can tell. */
  const selected = ({ element }) => clean(String(document.getSelection()), keepsSpaces(element));

  return { around, all, alike, selected, selectionOf, isBlock, clean, whole };
})();
