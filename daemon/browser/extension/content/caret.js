// Where the cursor of a field is in the window, and how the field's text looks there.
idiolect.caret ??= (() => {
  /** What of a field's style decides where its lines break. */
  const COPIED = [
    ..."direction fontFamily fontFeatureSettings fontKerning fontSize fontSizeAdjust fontStretch fontStyle".split(" "),
    ..."fontVariant fontVariationSettings fontWeight hyphens letterSpacing lineBreak lineHeight overflowWrap".split(" "),
    ..."tabSize textAlign textIndent textTransform unicodeBidi wordBreak wordSpacing writingMode".split(" "),
    ..."paddingTop paddingRight paddingBottom paddingLeft".split(" "),
  ];
  let mirror = null;

  /** A copy of a field's text in which the cursor is an element; the paragraphs that stay are not laid out again. */
  class Mirror {
    constructor(element, root) {
      this.element = element;
      this.box = document.createElement("div");
      this.box.className = "mirror";
      this.marker = document.createElement("span");
      this.marker.textContent = "\u200B";
      this.lines = [];
      root.append(this.box);
    }

    /** Take over how the field looks now. */
    dress() {
      const style = getComputedStyle(this.element);
      const { clientWidth } = this.element;
      const look = COPIED.map((name) => style[name]).join("|") + clientWidth;
      if (look === this.look) return style;
      this.look = look;
      for (const name of COPIED) this.box.style[name] = style[name];
      const area = this.element instanceof HTMLTextAreaElement;
      this.box.style.whiteSpace = area && style.whiteSpace !== "pre" ? "pre-wrap" : "pre";
      this.box.style.width = area ? `${clientWidth}px` : "max-content";
      return style;
    }

    /** Where the cursor is in the copy, from its top left corner. */
    measure(value, place) {
      const texts = value.split("\n");
      let index = 0;
      let column = place;
      while (column > texts[index].length) column -= texts[index++].length + 1;
      this.#show(texts, index);
      const line = this.lines[index].box;
      const end = texts[index].slice(column);
      line.replaceChildren(texts[index].slice(0, column), this.marker, end || "\u200B");
      this.lines[index].text = null; // to be made anew
      const box = this.box.getBoundingClientRect();
      const { left, top, height } = this.marker.getBoundingClientRect();
      return { x: left - box.left, y: top - box.top, height };
    }

    #show(texts, last) {
      for (let index = 0; index <= last; index++) {
        const line = (this.lines[index] ??= this.#add());
        if (line.text !== texts[index]) {
          line.text = texts[index];
          line.box.textContent = texts[index] || "\u200B";
        }
      }
      for (const { box } of this.lines.splice(last + 1)) box.remove();
    }

    #add() {
      const box = document.createElement("div");
      this.box.append(box);
      return { box, text: null };
    }
  }

  function ofPlain(element, root) {
    if (mirror?.element !== element || !mirror.box.isConnected) {
      mirror?.box.remove();
      mirror = new Mirror(element, root);
    }
    const style = mirror.dress();
    const { x, y, height } = mirror.measure(element.value, element.selectionStart);
    const box = element.getBoundingClientRect();
    const scale = element.offsetWidth > 0 ? box.width / element.offsetWidth : 1;
    const [above, beside] = [parseFloat(style.borderTopWidth), parseFloat(style.borderLeftWidth)];
    const inner = element.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    // The text of a one-line input stands in the middle of its height.
    const middle = element instanceof HTMLInputElement ? Math.max(0, (inner - height) / 2) : 0;
    const rtl = style.direction === "rtl" && element instanceof HTMLInputElement;
    const left = rtl ? element.clientWidth - mirror.box.offsetWidth : 0;
    const end = element.clientWidth - parseFloat(style.paddingRight);
    return {
      x: box.left + (beside + left + x - element.scrollLeft) * scale,
      y: box.top + (above + y + middle - element.scrollTop) * scale,
      height: height * scale,
      start: box.left + (beside + parseFloat(style.paddingLeft)) * scale,
      end: box.left + (beside + end) * scale,
      scale,
      style,
      bounds: box,
    };
  }

  /** The edge of the character before a place in an edited element, or of the element that it is in. */
  function ofRich(field) {
    const { element } = field;
    const at = idiolect.text.selectionOf(field);
    const { startContainer: node, startOffset: offset } = at;
    const inner = node.nodeType === Node.TEXT_NODE ? node.parentElement : (node.childNodes[offset - 1] ?? node);
    const holder = inner instanceof Element ? inner : element;
    const style = getComputedStyle(holder);
    const rtl = style.direction === "rtl";
    const rect = placeOf(node, offset, rtl) ?? placeOfEmpty(holder, style, rtl);
    const bounds = element.getBoundingClientRect();
    const line = blockOf(holder, element).getBoundingClientRect();
    const scale = element.offsetWidth > 0 ? bounds.width / element.offsetWidth : 1;
    return { ...rect, start: Math.max(line.left, bounds.left), end: Math.min(line.right, bounds.right), scale, style, bounds };
  }

  function placeOf(node, offset, rtl) {
    if (node.nodeType !== Node.TEXT_NODE || offset === 0) return null;
    const range = document.createRange();
    range.setStart(node, offset - 1);
    range.setEnd(node, offset);
    const rect = [...range.getClientRects()].at(-1);
    return rect && rect.height > 0 ? { x: rtl ? rect.left : rect.right, y: rect.top, height: rect.height } : null;
  }

  function placeOfEmpty(holder, style, rtl) {
    const box = holder.getBoundingClientRect();
    const height = parseFloat(style.lineHeight) || parseFloat(style.fontSize) * 1.2;
    const x = rtl ? box.right - parseFloat(style.paddingRight) : box.left + parseFloat(style.paddingLeft);
    return { x, y: box.top + parseFloat(style.paddingTop), height };
  }

  function blockOf(holder, host) {
    let block = holder;
    while (block !== host && block.parentElement && getComputedStyle(block).display.startsWith("inline")) {
      block = block.parentElement;
    }
    return block;
  }

  /**
   * The cursor in pixels of the window: `{ x, y, height }`, where its line's text may `start` and `end`, the field's
   * `style`, `bounds` and `scale`; null where it is out of sight. `root` is where a copy may be laid out.
   */
  function of(field, root) {
    const { element, kind } = field;
    if (!element.checkVisibility?.({ opacityProperty: true, visibilityProperty: true })) return null;
    const place = kind === "plain" ? ofPlain(element, root) : ofRich(field);
    const { bounds, x, y, height } = place;
    const seen = x >= 0 && x <= innerWidth && y >= 0 && y + height / 2 <= innerHeight;
    const inside = x >= bounds.left - 1 && x <= bounds.right + 1 && y + height > bounds.top && y < bounds.bottom;
    return seen && inside ? place : null;
  }

  return { of };
})();
