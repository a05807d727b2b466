// What of a page's text can be seen in the column of a field, at most by scrolling.
idiolect.Sight ??= (() => {
  const { nodes, text } = idiolect;
  const [WHITE, DARK] = [[255, 255, 255], [18, 18, 18]]; // what pages stand on that say nothing else
  const MIN_PX = 4; // text that is lower, or stands in a box that is smaller, cannot be read
  const MIN_SHOWN = 0.1; // of 1: opacity
  const MIN_CONTRAST = 1.3; // as WCAG counts it: light grey (#ddd) on white has 1.36
  const MEASURED_CHARS = 200; // of a text node, to know where it is
  const FILTER = /([a-z-]+)\(((?:[^()]|\([^()]*\))*)\)/g;
  const OF_COLORS = ["invert", "hue-rotate", "brightness", "contrast", "saturate", "sepia", "grayscale"];

  const isOver = (one, other) =>
    one.left < other.right && one.right > other.left && one.top < other.bottom && one.bottom > other.top;

  /** Red, green and blue up to 255, and alpha up to 1, of a colour as styles tell it. */
  function rgba(color) {
    const told = /^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/.exec(color);
    if (told !== null) return [...told.slice(1, 4).map(Number), Number(told[4] ?? 1)];
    const paint = new OffscreenCanvas(1, 1).getContext("2d");
    paint.fillStyle = color;
    paint.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = paint.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  }

  /** The colour of `ink` on a paper, where `alpha` of it covers the paper. */
  const over = (ink, alpha, paper) => paper.map((one, place) => one + alpha * (ink[place] - one));

  function luminance(color) {
    const [red, green, blue] = color.map((one) => (one <= 10 ? one / 3295 : ((one / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(one, other) {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }

  const isDark = (scheme) =>
    scheme.includes("dark") && (!scheme.includes("light") || matchMedia("(prefers-color-scheme: dark)").matches);

  /** How much a filter leaves to be seen, of 1. One that changes colours hides nothing where it changes the whole page. */
  function left(filter, isRoot) {
    let all = 1;
    for (const [, name, value] of filter.matchAll(FILTER)) {
      if (name === "opacity") all *= Math.min(1, parseFloat(value) / (value.endsWith("%") ? 100 : 1));
      else if (name !== "drop-shadow" && !(isRoot && OF_COLORS.includes(name))) return 0;
    }
    return ["", "none"].includes(filter.replace(FILTER, "").trim()) ? all : 0;
  }

  /** Whether a part of an element may be cut off or covered in a way that is not looked into. */
  function isMasked({ clipPath, position, clip, maskImage, mixBlendMode, webkitTextSecurity }) {
    const isClipped = clipPath !== "none" && !/^inset\((?:0(?:px|%)? ?)+(?:round [^()]*)?\)$/.test(clipPath);
    const isCut = position !== "static" && clip !== "auto";
    const isDots = (webkitTextSecurity ?? "none") !== "none";
    return isClipped || isCut || !/^none(?:, none)*$/.test(maskImage) || mixBlendMode !== "normal" || isDots;
  }

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
    #known = new Map(); // element → `{ area, paper, shown, style }`; null where nothing in it can be seen
    #colors = new Map();
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

    /** `area` is where in the window text can be seen, `paper` the colour behind it, null where a picture is. */
    #judge(element, { area, paper, shown } = { area: null, paper: null, shown: 1 }) {
      const style = getComputedStyle(element);
      const isRoot = nodes.isRoot(element);
      const clips = isRoot || (style.overflow !== "visible" && !this.#isWindows(element));
      if (isRoot) paper = isDark(style.colorScheme) ? DARK : WHITE;
      shown *= style.opacity * left(style.filter, isRoot);
      if (style.display === "none" || !(shown >= MIN_SHOWN) || isMasked(style)) return null;
      if (!this.holds(element) && this.#isCut(element, clips ? area : null)) return null;
      if (clips) area = reachable(element, style);
      if (style.backgroundImage !== "none") paper = null;
      else paper = this.#papered(style.backgroundColor, paper);
      return { area, paper, shown, style };
    }

    #papered(background, paper) {
      const color = this.#colorOf(background);
      const alpha = color.at(-1);
      if (alpha === 1) return color.slice(0, 3);
      return paper === null ? null : over(color, alpha, paper);
    }

    #colorOf(told) {
      if (!this.#colors.has(told)) this.#colors.set(told, rgba(told));
      return this.#colors.get(told);
    }

    /** Whether an element is cut off the field's column, or cut to nothing that can be seen in `area`, if it clips. */
    #isCut(element, area) {
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
      const { area, paper, shown, style } = about;
      const ink = this.#colorOf(style.webkitTextFillColor);
      const alpha = ink.at(-1) * shown;
      if (alpha < MIN_SHOWN || (paper !== null && contrast(over(ink, alpha, paper), paper) < MIN_CONTRAST)) return false;
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
