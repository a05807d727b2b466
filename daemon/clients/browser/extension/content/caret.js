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

  /** A copy of the cursor's line, in which the cursor is an element. Of the lines above only their heights are kept. */
  class Mirror {
    #look = null;
    #heights = new Map(); // text of a line → pixels

    constructor(element, root) {
      this.element = element;
      this.box = document.createElement("div");
      this.box.className = "mirror";
      this.marker = document.createElement("span");
      this.marker.textContent = "\u200B";
      root.append(this.box);
    }

    /** Take over how the field looks now. */
    dress() {
      const style = getComputedStyle(this.element);
      const { clientWidth } = this.element;
      const look = COPIED.map((name) => style[name]).join("|") + clientWidth;
      if (look === this.#look) return style;
      this.#look = look;
      this.#heights.clear();
      for (const name of COPIED) this.box.style[name] = style[name];
      const area = this.element instanceof HTMLTextAreaElement;
      this.box.style.whiteSpace = area && style.whiteSpace !== "pre" ? "pre-wrap" : "pre";
      this.box.style.width = area ? `${clientWidth}px` : "max-content";
      return style;
    }

    /** Where the cursor is in the copy, from its top left corner. */
    measure(value, place) {
      const above = value.slice(0, place).split("\n");
      const start = above.pop();
      const end = value.slice(place).split("\n", 1)[0];
      const y = this.#heightOf(above);
      this.box.replaceChildren(start, this.marker, end || "\u200B");
      const box = this.box.getBoundingClientRect();
      const { left, top, height } = this.marker.getBoundingClientRect();
      return { x: left - box.left, y: y + top - box.top, height };
    }

    #heightOf(lines) {
      const fresh = [...new Set(lines.filter((line) => !this.#heights.has(line)))];
      if (fresh.length > 0) {
        const boxes = fresh.map((line) => {
          const box = document.createElement("div");
          box.textContent = line || "\u200B";
          return box;
        });
        this.box.replaceChildren(...boxes);
        fresh.forEach((line, index) => this.#heights.set(line, boxes[index].getBoundingClientRect().height));
      }
      return lines.reduce((sum, line) => sum + this.#heights.get(line), 0);
    }
  }

  function ofPlain(element, root, at = element.selectionStart) {
    if (mirror?.element !== element || !mirror.box.isConnected) {
      mirror?.box.remove();
      mirror = new Mirror(element, root);
    }
    const style = mirror.dress();
    const { x, y, height } = mirror.measure(element.value, at);
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
      lineHeight: (parseFloat(style.lineHeight) || height) * scale,
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
    const [start, end] = [Math.max(line.left, bounds.left), Math.min(line.right, bounds.right)];
    const lineHeight = parseFloat(style.lineHeight) * scale || rect.height;
    return { ...rect, lineHeight, start, end, scale, style, bounds };
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
   * The cursor in pixels of the window: `{ x, y, height }`, the `lineHeight` from line to line, where its line's text may
   * `start` and `end`, the field's `style`, `bounds` and `scale`; null where it is out of sight. `root` is where a copy may be laid out.
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

  /**
   * Where `length` characters stand that begin `back` characters before the cursor: `{ x, y, width, height, style }`; null
   * where they are not on one line, or in several pieces of text.
   */
  function spanOf(field, root, back, length) {
    const { element, kind } = field;
    if (kind === "plain") {
      const start = element.selectionStart - back;
      const [from, to] = [start, start + length].map((at) => ofPlain(element, root, at));
      return from.y === to.y ? { ...from, x: Math.min(from.x, to.x), width: Math.abs(to.x - from.x) } : null;
    }
    const { startContainer: node, startOffset: offset } = idiolect.text.selectionOf(field);
    if (node.nodeType !== Node.TEXT_NODE || offset < back) return null;
    const range = document.createRange();
    range.setStart(node, offset - back);
    range.setEnd(node, offset - back + length);
    const [rect, ...more] = range.getClientRects();
    if (!rect || more.length > 0) return null;
    return { x: rect.left, y: rect.top, width: rect.width, height: rect.height, style: getComputedStyle(node.parentElement) };
  }

  return { of, spanOf };
})();
