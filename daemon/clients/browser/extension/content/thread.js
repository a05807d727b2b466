// What somebody answers in a field: the messages, comments or quoted lines around it, found by structure on every site alike.
idiolect.thread ??= (() => {
  const { text, nodes, Sight } = idiolect;
  const MAX_TEXTS = 8;
  const MAX_CHARS = 4000;
  const MAX_READ_CHARS = 20000; // to know how a long message begins
  const MAX_NODES = 1000; // looked at for one reading
  const MAX_NODE_CHARS = 100000; // in a text node with more it takes long to know where its end stands
  const LINE_CHARS = 60; // what has fewer is a line of a list, or a date above a message, and no message by itself
  const LINE_NODES = 25; // looked at to know that
  const MIN_CHARS = 20; // right before the field, of what is no message
  const MAX_HINT_CHARS = 120; // of what a form says about itself

  const MESSAGE = "article, blockquote, [role=article], [role=listitem], [role=row], [role=comment]";
  const MAYBE_MESSAGE = "li, dd, tr";
  const NO_MESSAGE = "p, h1, h2, h3, h4, h5, h6, header, footer, main, form, table, thead, tbody, td, th, ul, ol, dl, dt";
  /** What a thread does not reach beyond. */
  const BOUNDS = "main, [role=main], dialog, [role=dialog], [role=alertdialog], body";
  const SECTIONS = "article, main, section, [role=article], [role=main], [role=listitem], [role=row]";
  /** Code, controls, ways through the site, and what is hidden or not to be read. */
  const PASSED_OVER =
    "script, style, noscript, template, textarea, input, select, datalist, button, label, legend, svg, img, picture, object, " +
    "embed, iframe, frame, video, audio, canvas, nav, aside, search, [contenteditable]:not([contenteditable=false]), " +
    "[role=textbox], [role=searchbox], [role=combobox], [role=listbox], [role=button], [role=toolbar], [role=tablist], " +
    "[role=menu], [role=menubar], [role=navigation], [role=complementary], [role=search], [role=banner], [role=contentinfo], " +
    `header:not(:is(${SECTIONS}) *), footer:not(:is(${SECTIONS}) *), ` +
    "[hidden], [aria-hidden=true], [data-idiolect=off], idiolect-overlay, idiolect-said";
  /** The end of a line that says nothing of the next one, or of a sentence. */
  const END = /[^\n:：]\n|[.!?…]["')\]”’»]*\s+(?=\p{Lu})|[。！？]/u;
  const NAMED = /^(\S{1,15}:)\n/gm;
  const LINK = "a, [role=link]";

  const classOf = (element) => (nodes.attribute(element, "class") ?? "").trim().split(/\s+/)[0];

  /** Elements are alike by their name, role and first class; messages are by their name and role. */
  function kindOf(element) {
    const [name, role] = [nodes.nameOf(element), nodes.attribute(element, "role")];
    return [name, role, nodes.matches(element, MESSAGE) ? "" : classOf(element)].join(" ");
  }

  /** The two elements on each side of one, the nearest first. */
  const near = (element) =>
    [nodes.elementBefore, nodes.elementBehind].flatMap((beside) => {
      const next = beside(element);
      return next === null ? [] : [next, beside(next)].filter((one) => one !== null);
    });

  /** Whether more than a line stands in an element. */
  function isLong(element) {
    const walker = Document.prototype.createTreeWalker.call(document, element, NodeFilter.SHOW_TEXT);
    let length = 0;
    for (let left = LINE_NODES; left > 0 && length < LINE_CHARS && walker.nextNode(); left--) {
      const { currentNode } = walker;
      length += currentNode.length > MAX_NODE_CHARS ? 0 : currentNode.data.trim().length;
    }
    return length >= LINE_CHARS;
  }

  /** Whether a paragraph stands beside the list of an item, which is then part of a text. */
  function isInProse(item) {
    const list = nodes.around(item);
    return nodes.matches(item, "li") && nodes.isElement(list) && near(list).some((one) => nodes.nameOf(one) === "p");
  }

  /** Whether an element of its kind stands beside one or around it. */
  function hasLike(element) {
    const kind = kindOf(element);
    const outer = nodes.around(element);
    const around = nodes.isElement(outer) ? nodes.closest(outer, `.${CSS.escape(classOf(element))}`) : null;
    return [around, ...near(element)].some((one) => one !== null && kindOf(one) === kind);
  }

  /** Whether an element is a message: by its name or role, or since others are alike. */
  function isMessage(element) {
    if (nodes.matches(element, MESSAGE)) return true;
    if (nodes.matches(element, NO_MESSAGE) || !text.isBlock(element)) return false;
    const isNamed = classOf(element) !== "";
    const may = nodes.matches(element, MAYBE_MESSAGE) ? isNamed || !isInProse(element) : isNamed && hasLike(element);
    return may && isLong(element);
  }

  /** Whether a message within another is one of its own: a reply to it, or the outer one only looks like one. */
  function isOwn(inner, outer) {
    if (nodes.matches(inner, "blockquote")) return false;
    return kindOf(inner) === kindOf(outer) || (nodes.matches(inner, MESSAGE) && !nodes.matches(outer, MESSAGE));
  }

  /** What stands on one side of a field: `step` is -1 for what is before it, 1 for what is behind it. */
  class Side {
    texts = []; // the nearest first
    newest = null; // the text node that is the nearest
    left; // of the nodes
    #step;
    #sight;
    #parts = []; // of the text that is being read, the nearest first
    #length = 0; // of all texts
    #readAll = 0; // characters of all parts so far
    #read = 0; // characters of these parts
    #linked = 0; // and how many of them are links
    #open = []; // the messages that are being read, the outermost first

    /** At most `left` nodes are looked at. */
    constructor(field, step, sight, left) {
      this.#step = step;
      this.#sight = sight;
      this.left = left;
      let at = this.#beyond(field);
      for (; at !== null && this.left > 0 && !this.#isFull(); this.left--) {
        let inner = null;
        if (nodes.isText(at)) this.#take(at);
        else if (nodes.isElement(at) && !nodes.matches(at, PASSED_OVER) && sight.opens(at)) {
          this.#come(at);
          inner = this.#inner(at) ?? this.#inShadow(at);
          if (inner === null) this.#leave(at);
        }
        at = inner ?? this.#beyond(at);
      }
      this.#end(this.#open.length > 0, this.#step < 0 && (at !== null || this.#isFull()));
    }

    #isFull() {
      return this.texts.length >= MAX_TEXTS || this.#length >= MAX_CHARS || this.#readAll >= MAX_READ_CHARS;
    }

    #inner(node) {
      return this.#step < 0 ? nodes.last(node) : nodes.first(node);
    }

    #inShadow(element) {
      const root = nodes.shadowOf(element);
      return root === null ? null : this.#inner(root);
    }

    /** The node beyond one, in the direction of reading; null where the thread ends. */
    #beyond(node) {
      for (let at = node; ; ) {
        const parent = nodes.parentOf(at);
        const beside = nodes.isInClosed(at) ? null : this.#step < 0 ? nodes.before(at) : nodes.behind(at);
        if (beside !== null) return beside;
        const around = nodes.around(at);
        if (!nodes.isElement(around)) return null;
        const holds = this.#sight.holds(around);
        const inShadow = parent === around && !holds ? this.#inShadow(around) : null;
        if (inShadow !== null) return inShadow;
        if (holds ? !this.#climb(around) : !this.#leave(around)) return null;
        at = around;
      }
    }

    #come(element) {
      if (text.isBlock(element) || nodes.nameOf(element) === "br") this.#endLine();
      const outer = this.#open.at(-1);
      if (!isMessage(element) || (outer !== undefined && !isOwn(element, outer))) return;
      this.#end(outer !== undefined);
      this.#open.push(element);
    }

    #leave(element) {
      if (text.isBlock(element)) this.#endLine();
      if (element === this.#open.at(-1)) {
        this.#end(true);
        this.#open.pop();
      }
      return true;
    }

    /** Leave an element that the field is in; whether the thread goes on beyond it. */
    #climb(element) {
      if (text.isBlock(element)) this.#endLine();
      const isHint = this.texts.length === 0 && this.#read < MAX_HINT_CHARS;
      if (isHint && nodes.matches(element, "form")) this.#forget();
      if (isMessage(element)) this.#end(this.texts.length === 0);
      return !nodes.matches(element, BOUNDS);
    }

    #take(node) {
      const parent = nodes.around(node);
      if (node.length > MAX_NODE_CHARS) return;
      const { data } = node;
      if (data.trim() === "") return void this.#add(" ");
      if (!this.#sight.shows(node, this.#step)) return;
      const part = this.#step < 0 ? data.slice(-MAX_READ_CHARS) : data.slice(0, MAX_READ_CHARS);
      const told = this.#sight.keepsSpaces(parent) ? part : part.replace(/\s+/g, " ");
      this.#add(this.#step < 0 && part.length < data.length ? fromStart(told) : told);
      this.#read += part.length;
      this.#readAll += part.length;
      if (nodes.closest(parent, LINK) !== null) this.#linked += part.length;
      this.newest ??= node;
    }

    #add(part) {
      this.#parts.push(part);
    }

    #endLine() {
      if (this.#parts.length > 0 && this.#parts.at(-1) !== "\n") this.#add("\n");
    }

    #forget() {
      this.#parts = [];
      this.#read = this.#linked = 0;
    }

    /**
     * A text ends: a message, or what stands between messages, of which a line belongs to the message below it. `isPart`:
     * its beginning was not read.
     */
    #end(isOne, isPart = false) {
      const parts = this.#step < 0 ? this.#parts.toReversed() : this.#parts;
      const read = tidy(parts.join(""));
      const found = isPart ? fromStart(read) : read;
      const isWays = this.#linked >= 0.9 * this.#read;
      this.#forget();
      this.#length += found.length;
      if (isWays || !/[\p{L}\p{N}]{2}/u.test(found)) return;
      if (isOne || found.length >= LINE_CHARS) this.texts.push(found);
      else if (this.#step > 0) this.#parts = [found, "\n"];
      else if (this.texts.length > 0) this.texts.push(`${found}\n${this.texts.pop()}`);
      else if (found.length >= MIN_CHARS) this.texts.push(found);
    }
  }

  /** Lines without needless space. What is said of a name, as in two cells of a row, stands behind its colon. */
  function tidy(found) {
    const lines = text.clean(found, true).split("\n").map((line) => line.trim().replace(/[ \t]+/g, " "));
    return lines.filter(Boolean).join("\n").replace(NAMED, "$1 ");
  }

  /** The nearest texts that together have no more characters than are sent, the newest last. */
  function cut(texts) {
    const kept = [];
    let left = MAX_CHARS;
    for (const one of texts) {
      if (left < MIN_CHARS) break;
      kept.push(one.length <= left ? one : ends(one, left));
      left -= one.length;
    }
    return kept.reverse();
  }

  /**
   * Of a text that was cut off, from where the next line or sentence begins: in the middle of one, what the service knows
   * a secret by, such as "The password is:", may be cut off from it.
   */
  function fromStart(part) {
    const end = END.exec(part);
    return end === null ? "" : part.slice(end.index + end[0].length);
  }

  /** How a long text begins and ends: who wrote it stands there, and what was said last. */
  function ends(one, most) {
    const [begins, closes] = [one.slice(0, most / 2).replace(/\s\S*$/, ""), fromStart(one.slice(1 - most / 2))];
    return `${text.whole(begins)}\n${closes}`.trim();
  }

  /**
   * `{ texts, newest }`: what somebody answers in the field that an element is, the newest text last, and the node that is
   * the nearest to the field. What stands before a field is answered, or else what stands behind it.
   */
  function around(element) {
    const sight = new Sight(element);
    let side = new Side(element, -1, sight, MAX_NODES);
    if (side.texts.length === 0) side = new Side(element, 1, sight, side.left);
    return { texts: cut(side.texts), newest: side.newest };
  }

  return { around };
})();
