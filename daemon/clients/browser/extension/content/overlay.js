// What is shown: grey text behind the cursor and a row of words under it, out of the page's reach.
//
// Both are pictures in a closed shadow tree of an element in the top layer. There is no text that a page could find,
// select or measure, and nothing catches a pointer: a click on a word is known by its place.
idiolect.overlay ??= (() => {
  const CHIP = { height: 24, gap: 4, pad: 8, font: "13px system-ui, sans-serif", below: 4 };
  const SAID_MS = 2000;
  const MARKED_MS = 1000;
  const NOTICED_MS = 100; // from when an element is there until a screen reader looks at it
  const STYLE = `
    :host { all: initial !important; position: fixed !important; inset: 0 auto auto 0 !important; width: 0 !important;
      height: 0 !important; overflow: visible !important; pointer-events: none !important; border: 0 !important;
      padding: 0 !important; margin: 0 !important; background: none !important; display: block !important; }
    canvas { position: fixed; left: 0; top: 0; pointer-events: none; }
    [hidden] { display: none !important; }
    .mark { position: fixed; left: 0; top: 0; height: 2px; opacity: 0.6; }
    .mirror { position: fixed; left: -99999px; top: 0; visibility: hidden; box-sizing: border-box; contain: layout style; }
    .said { position: fixed; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  `;
  let host = null;
  let parts = null;
  let guard = null;
  let spoilt = false; // the page has touched it
  let saying = 0;
  let marking = 0;
  let speaker = null; // the element that speaks within a modal dialog
  let chips = []; // where each word is drawn

  /** The closed shadow tree of a new element, which the page sees as an empty one. */
  function hidden(name) {
    const root = document.createElement(name).attachShadow({ mode: "closed" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    return root;
  }

  /** An element of which a screen reader says what is written into it. */
  function toSpeak() {
    const said = document.createElement("div");
    said.className = "said";
    said.setAttribute("role", "status");
    said.setAttribute("aria-live", "polite");
    return said;
  }

  /** The shadow tree, made when it is first needed; null once the page has touched its element. */
  function open() {
    if (spoilt) return null;
    if (parts !== null) return parts;
    const root = hidden("idiolect-overlay");
    host = root.host;
    host.setAttribute("popover", "manual");
    const [ghost, row] = [0, 1].map(() => document.createElement("canvas"));
    for (const canvas of [ghost, row]) {
      canvas.hidden = true;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-hidden", "true");
    }
    const said = toSpeak();
    const mark = document.createElement("div");
    mark.className = "mark";
    mark.hidden = true;
    root.append(ghost, row, mark, said);
    document.documentElement.append(host);
    guard = new MutationObserver(spoil);
    watch();
    parts = { root, ghost, row, mark, said };
    return parts;
  }

  function watch() {
    guard.observe(host, { attributes: true, childList: true });
    guard.observe(document.documentElement, { childList: true });
  }

  /** A page that takes it away or changes it gets nothing more: its user might not see what they would take. */
  function spoil(records) {
    if (records.some(({ target }) => target === host) || !host.isConnected) {
      spoilt = true;
      close();
    }
  }

  function close() {
    guard?.disconnect();
    hush();
    host?.remove();
    parts = host = null;
    chips = [];
  }

  /** Whether it is shown and no page has changed it, also where the observer has not been called yet. */
  function isWhole() {
    if (parts === null) return false;
    const records = guard.takeRecords();
    if (records.length > 0) spoil(records);
    return parts !== null && host.matches(":popover-open") && host.checkVisibility({ opacityProperty: true });
  }

  /** Families of a font that draw without fetching anything: fetching would tell the page's server of the letters. */
  function safeFamily(family) {
    const declared = new Map();
    for (const face of document.fonts) {
      const name = face.family.replace(/^["']|["']$/g, "").toLowerCase();
      const safe = face.status === "loaded" && face.unicodeRange.toUpperCase() === "U+0-10FFFF";
      declared.set(name, (declared.get(name) ?? true) && safe);
    }
    const families = family.split(",").map((one) => one.trim());
    const safe = families.filter((one) => declared.get(one.replace(/^["']|["']$/g, "").toLowerCase()) ?? true);
    return [...safe, "sans-serif"].join(", ");
  }

  function fit(canvas, width, height, left, top) {
    const ratio = devicePixelRatio;
    canvas.width = Math.max(1, Math.ceil(width * ratio));
    canvas.height = Math.max(1, Math.ceil(height * ratio));
    canvas.style.width = `${canvas.width / ratio}px`;
    canvas.style.height = `${canvas.height / ratio}px`;
    // A transform is no shift of the layout, of which a page is told.
    canvas.style.transform = `translate(${left}px, ${top}px)`;
    canvas.hidden = false;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return context;
  }

  function setFont(context, { style, scale }) {
    const size = parseFloat(style.fontSize) * scale;
    context.font = `${style.fontStyle} ${style.fontWeight} ${size}px ${safeFamily(style.fontFamily)}`;
    context.letterSpacing = style.letterSpacing === "normal" ? "0px" : style.letterSpacing;
    context.wordSpacing = style.wordSpacing;
    context.direction = style.direction;
    context.textBaseline = "alphabetic";
  }

  /** The ghost's words line by line, as far as they fit: first the rest of the cursor's line, then whole lines. */
  function broken(context, text, { x, y, lineHeight, start, end, style, bounds }, mayWrap) {
    const rtl = style.direction === "rtl";
    const room = rtl ? x - start : end - x;
    const lines = [""];
    for (const word of text.match(/\s*\S+/g) ?? []) {
      const width = lines.length === 1 ? room : end - start;
      if (context.measureText(lines.at(-1) + word).width <= width) lines[lines.length - 1] += word;
      else if (mayWrap && y + lineHeight * (lines.length + 1) <= bounds.bottom) lines.push(word.trimStart());
      else break;
    }
    return lines;
  }

  /** The nearest whole pixel of the screen: between two of them letters are blurred, and not where the browser's are. */
  const snap = (length) => Math.round(length * devicePixelRatio) / devicePixelRatio;

  /**
   * Draw the ghost behind the cursor; how many of its characters are seen, and where it ends below (`bottom`). Below
   * other lines it is not continued where text follows (`mayWrap` false).
   */
  function drawGhost(text, place, mayWrap) {
    const { ghost } = parts;
    const { x, y, height, lineHeight, start, end, style } = place;
    const measuring = ghost.getContext("2d");
    setFont(measuring, place);
    const lines = broken(measuring, text, place, mayWrap);
    const seen = shownOf(text, lines);
    const bottom = y + height + lineHeight * (lines.length - 1);
    ghost.hidden = seen === 0;
    if (seen === 0) return { seen, bottom: y + height };
    const [left, top] = [snap(start), snap(y)];
    const context = fit(ghost, end - left, bottom - top, left, top);
    setFont(context, place);
    context.fillStyle = style.color;
    context.globalAlpha = matchMedia("(prefers-contrast: more), (forced-colors: active)").matches ? 0.8 : 0.5;
    const rtl = style.direction === "rtl";
    context.textAlign = rtl ? "right" : "left";
    const { fontBoundingBoxAscent, fontBoundingBoxDescent } = context.measureText("x");
    const [ascent, descent] = [snap(fontBoundingBoxAscent), snap(fontBoundingBoxDescent)]; // as browsers lay out
    lines.forEach((line, index) => {
      const from = index === 0 ? x : rtl ? end : start;
      const baseline = snap(y + lineHeight * index + (height - ascent - descent) / 2 + ascent);
      context.fillText(line, from - left, baseline - top);
    });
    ghost.setAttribute("aria-label", text.slice(0, seen));
    return { seen, bottom };
  }

  function shownOf(text, lines) {
    let at = 0;
    for (const line of lines) at = line === "" ? at : text.indexOf(line, at) + line.length;
    return at;
  }

  /** Whether a field has light text on dark: by its own colour, since a page may be dark where all else is light. */
  function isDark({ color }) {
    const rgb = /^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)/.exec(color);
    if (rgb === null) return matchMedia("(prefers-color-scheme: dark)").matches;
    const [red, green, blue] = rgb.slice(1).map(Number);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 127;
  }

  /** Draw the words in a row under what ends at `bottom`, or over the cursor's line where there is no room; each with its key. */
  function drawRow(words, place, bottom, keys) {
    const { row } = parts;
    const measuring = row.getContext("2d");
    measuring.font = CHIP.font;
    const labels = words.map((word, index) => `${keys[index]} ${word}`);
    const widths = labels.map((label) => Math.ceil(measuring.measureText(label).width) + 2 * CHIP.pad);
    const whole = widths.reduce((sum, width) => sum + width + CHIP.gap, 0);
    const { x, y, style } = place;
    const below = bottom + CHIP.below;
    const top = Math.round(below + CHIP.height <= innerHeight ? below : y - CHIP.below - CHIP.height);
    const left = Math.round(Math.max(0, Math.min(x, innerWidth - whole))); // on whole pixels it is sharp
    const context = fit(row, whole, CHIP.height, left, top);
    context.font = CHIP.font;
    context.textBaseline = "middle";
    const forced = matchMedia("(forced-colors: active)").matches;
    const [paper, ink, line, key] = forced
      ? ["Canvas", "CanvasText", "CanvasText", "CanvasText"]
      : isDark(style)
        ? ["#1b2027", "#e6e9ed", "#5b6672", "#a3adb8"]
        : ["#ffffff", "#1c2128", "#aab3bd", "#57606a"];
    let at = 0;
    chips = words.map((word, index) => {
      const [width, from] = [widths[index], at];
      context.beginPath();
      context.roundRect(from + 0.5, 0.5, width - 1, CHIP.height - 1, 5);
      context.fillStyle = paper;
      context.fill();
      context.strokeStyle = line;
      context.stroke();
      context.fillStyle = key;
      context.fillText(keys[index], from + CHIP.pad, CHIP.height / 2 + 0.5);
      context.fillStyle = ink;
      const after = context.measureText(`${keys[index]} `).width;
      context.fillText(word, from + CHIP.pad + after, CHIP.height / 2 + 0.5);
      at += width + CHIP.gap;
      return { left: left + from, right: left + from + width, top, bottom: top + CHIP.height };
    });
    row.setAttribute("aria-label", words.join(", "));
  }

  /** Show a ghost (may be "") and words with their keys at a place; how many characters of the ghost are seen. Null: nothing is. */
  function show(ghost, words, place, mayWrap, keys) {
    if (open() === null || !host.isConnected) return null;
    if (!host.matches(":popover-open")) host.showPopover();
    const { seen, bottom } = drawGhost(ghost, place, mayWrap);
    if (words.length > 0) drawRow(words, place, bottom, keys);
    else {
      parts.row.hidden = true;
      chips = [];
    }
    return seen;
  }

  function hide() {
    if (parts === null) return;
    for (const canvas of [parts.ghost, parts.row]) {
      canvas.hidden = true;
      canvas.removeAttribute("aria-label");
    }
    chips = [];
    if (parts.mark.hidden && host.matches(":popover-open")) host.hidePopover();
  }

  /** Draw a line under a word for a second. */
  function mark({ x, y, width, height, style }) {
    if (open() === null || !host.isConnected) return;
    if (!host.matches(":popover-open")) host.showPopover();
    parts.mark.hidden = false;
    parts.mark.style.width = `${width}px`;
    parts.mark.style.transform = `translate(${snap(x)}px, ${snap(y + height)}px)`;
    parts.mark.style.backgroundColor = style.color;
    clearTimeout(marking);
    marking = setTimeout(unmark, MARKED_MS);
  }

  function unmark() {
    if (parts === null || parts.mark.hidden) return;
    parts.mark.hidden = true;
    if (parts.ghost.hidden && parts.row.hidden) hide();
  }

  /** Which word is drawn at a point of the window; -1: none. */
  function chipAt(x, y) {
    return chips.findIndex(({ left, right, top, bottom }) => x >= left && x < right && y >= top && y < bottom);
  }

  /** The modal dialog that an element is in, in whatever shadow tree; null outside of one. */
  function modalOf(element) {
    for (let at = element; at; at = at.getRootNode().host) {
      const found = at.closest("dialog:modal");
      if (found) return found;
    }
    return null;
  }

  /**
   * Have a screen reader say what is shown in a field. It is text for as long as that takes to be noticed, and no longer.
   *
   * Of what is outside of a modal dialog a screen reader says nothing, so that in one an element of the dialog's speaks.
   */
  function say(text, field) {
    if (parts === null) return;
    const modal = modalOf(field);
    hush();
    if (modal === null) {
      parts.said.textContent = text;
      saying = setTimeout(hush, SAID_MS);
      return;
    }
    const root = hidden("idiolect-said");
    const said = toSpeak();
    root.append(said);
    speaker = root.host;
    modal.append(speaker);
    saying = setTimeout(() => {
      said.textContent = text;
      saying = setTimeout(hush, SAID_MS);
    }, NOTICED_MS);
  }

  function hush() {
    clearTimeout(saying);
    parts?.said.replaceChildren();
    speaker?.remove();
    speaker = null;
  }

  return { open, show, hide, close, chipAt, say, isWhole, mark, unmark };
})();
