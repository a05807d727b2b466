// What of a page's text can be seen in the column of a field, at most by scrolling.
idiolect.Sight ??= (() => {
  const { nodes, text } = idiolect;
  const WHITE = "rgb(255, 255, 255)"; // what pages stand on that say nothing else
  const MIN_PX = 4; // text that is lower, or stands in a box that is smaller, cannot be read
  const MIN_OPACITY = 0.1;
  const MEASURED_CHARS = 200; // of a text node, to know where it is

  const isOver = (one, other) =>
    one.left < other.right && one.right > other.left && one.top < other.bottom && one.bottom > other.top;
  const isClear = (color) => color === "transparent" || /^rgba\(.*, 0\)$/.test(color) || /\/ 0\)$/.test(color);

  /** Where in the window that is which can be seen of what an element clips, at most by scrolling it. */
  function reachable(element, { overflowX, overflowY, direction, flexDirection }) {
    const isRoot = nodes.isRoot(element);
    const box = isRoot ? { left: 0, top: 0 } : nodes.boxOf(element);
    const told = (name) => nodes.scroll[name](element);
    /** From where to where in one direction; `runsBack`: the other way, so that places are counted from 0 down. */
    const span = (start, overflow, scrolled, shown, whole, runsBack) => {
      const scrolls = isRoot || scrolled !== 0 || ["auto", "scroll"].includes(overflow); // a script may scroll, too
      if (!scrolls) return [start, start + shown];
      const from = start - scrolled - (runsBack || scrolled < 0 ? whole - shown : 0);
      return [from, from + whole];
    };
    const isRtl = direction === "rtl";
    const isUp = flexDirection === "column-reverse";
    const [left, right] = span(box.left, overflowX, told("scrollLeft"), told("clientWidth"), told("scrollWidth"), isRtl);
    const [top, bottom] = span(box.top, overflowY, told("scrollTop"), told("clientHeight"), told("scrollHeight"), isUp);
    return { left, right, top, bottom };
  }

  /** Of one reading: styles and places are asked for once an element. */
  return class Sight {
    #known = new Map(); // element → `{ area, paper, style }`; null where nothing in it can be seen
    #column;
    #holders = new Set(); // what the field is in

    constructor(field) {
      this.#column = nodes.boxOf(field);
      for (let at = nodes.around(field); nodes.isElement(at); at = nodes.around(at)) this.#holders.add(at);
      for (const element of [...this.#holders].reverse()) this.opens(element);
    }

    /** Whether the field is in an element. */
    holds(element) {
      return this.#holders.has(element);
    }

    /** Whether what is in an element may be seen. What is around it has been asked about before. */
    opens(element) {
      return this.#look(element) !== null;
    }

    /** Whether white space is kept in an element as it stands. */
    keepsSpaces(element) {
      return /^(?:pre|break)/.test(this.#look(element).style.whiteSpace);
    }

    #look(element) {
      if (!this.#known.has(element)) {
        const above = this.#known.get(nodes.around(element));
        this.#known.set(element, above === null ? null : this.#judge(element, above));
      }
      return this.#known.get(element);
    }

    /** `area` is where in the window text can be seen, `paper` the colour behind it, "" where a picture is. */
    #judge(element, { area, paper } = { area: null, paper: "" }) {
      const style = getComputedStyle(element);
      const isRoot = nodes.isRoot(element);
      const clips = isRoot || (style.overflow !== "visible" && !this.#isWindows(element));
      if (isRoot && !style.colorScheme.includes("dark")) paper = WHITE;
      if (style.display === "none" || style.opacity < MIN_OPACITY) return null;
      if (!this.holds(element) && this.#isCut(element, style, clips ? area : null)) return null;
      if (clips) area = reachable(element, style);
      if (style.backgroundImage !== "none") paper = "";
      else if (!isClear(style.backgroundColor)) paper = style.backgroundColor;
      return { area, paper, style };
    }

    /** Whether an element is cut off the field's column, or cut to nothing that can be seen in `area`, if it clips. */
    #isCut(element, { clipPath, position, clip }, area) {
      if (clipPath !== "none" || (position !== "static" && clip !== "auto")) return true;
      const isPane = this.holds(nodes.around(element)) && text.isBlock(element);
      if (!isPane && area === null) return false;
      const box = nodes.boxOf(element);
      const { width, height, left, right } = box;
      if (isPane && width > 0 && (right <= this.#column.left || left >= this.#column.right)) return true;
      return area !== null && (width < MIN_PX || height < MIN_PX || !isOver(box, area));
    }

    /** Whether an element's overflow is the window's: that of the body, unless the root has one. */
    #isWindows(element) {
      const around = nodes.around(element);
      return nodes.nameOf(element) === "body" && nodes.isRoot(around) && getComputedStyle(around).overflow === "visible";
    }

    /** Whether the end of a text node can be seen that is nearest to the field: `step` is -1 where it stands before it. */
    shows(node, step) {
      const parent = nodes.around(node);
      const about = this.#look(parent);
      if (about === null) return false;
      const { area, paper, style } = about;
      const ink = style.webkitTextFillColor;
      if (isClear(ink) || ink === paper) return false;
      if (nodes.matches(parent, "details:not([open])")) return false;
      if (!nodes.isVisible(parent, { opacityProperty: true, visibilityProperty: true })) return false;
      const { data } = node;
      const range = new Range();
      const [from, to] = [data.length - data.trimStart().length, data.trimEnd().length];
      range.setStart(node, step < 0 ? Math.max(from, to - MEASURED_CHARS) : from);
      range.setEnd(node, step < 0 ? to : Math.min(to, from + MEASURED_CHARS));
      const box = range.getBoundingClientRect();
      return box.width >= 1 && box.height >= MIN_PX && isOver(box, area);
    }
  };
})();
