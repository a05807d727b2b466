// Keystrokes saved a day, as bars: words below, ghost text above them. And a keyboard whose keys are the warmer the more they slip.

import { count, make } from "./common.js";

const WIDTH = 480, HEIGHT = 170, LEFT = 44, BOTTOM = 20, TOP = 8;

const svg = (tag, given, ...children) => make(`svg:${tag}`, given, ...children);
const short = (day) => new Date(day).toLocaleDateString("en", { day: "numeric", month: "short", timeZone: "UTC" });

/** A round number of keystrokes that is no less than `most`, and divides by 2. */
function ceiling(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 10)));
  return [1, 2, 4, 6, 8, 10].map((times) => times * power).find((value) => value >= most);
}

/** `gains`: [{ at, promoted, gain }], one for each round, oldest first; gain is a share. */
export function curve(gains) {
  const top = Math.max(0.1, ...gains.map(({ gain }) => gain)), least = Math.min(0, ...gains.map(({ gain }) => gain));
  const height = HEIGHT / 2, percent = (share) => `${Math.round(100 * share)} %`;
  const x = (place) => LEFT + 6 + (WIDTH - LEFT - 12) * place / (gains.length - 1);
  const y = (gain) => TOP + (height - TOP - BOTTOM) * (top - gain) / (top - least);
  const label = `How much easier your newest text is to predict with what serves, after each round: ${gains.map(({ gain }) => percent(gain)).join(", ")}`;
  const lines = [0, top].flatMap((value) => [
    svg("line", { x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }),
    svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, percent(value)),
  ]);
  const path = svg("polyline", { class: "curve", points: gains.map(({ gain }, place) => `${x(place)},${y(gain)}`).join(" ") });
  const dots = gains.map(({ at, promoted, gain }, place) => svg("circle", {
    class: promoted ? "promoted" : "refused", cx: x(place), cy: y(gain), r: 4,
  }, svg("title", {}, `${short(at)}: ${percent(gain)}${promoted ? ", a new model" : ""}`)));
  const marks = [0, gains.length - 1].map((place) => svg("text", {
    x: x(place), y: height - 4, "text-anchor": place ? "end" : "start",
  }, short(gains[place].at)));
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label }, ...lines, path, ...dots, ...marks);
}

/** `days`: [{ day, word, ghost }], one for each day, oldest first. */
export function bars(days) {
  const saved = days.map(({ word, ghost }) => Math.max(word, 0) + Math.max(ghost, 0));
  const top = ceiling(Math.max(...saved));
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const step = (WIDTH - LEFT) / days.length, gap = Math.min(3, step / 4);
  const all = saved.reduce((sum, value) => sum + value, 0);
  const label = `Keystrokes saved a day, ${short(days[0].day)} to ${short(days.at(-1).day)}: ${count(all)} in all, ${count(Math.max(...saved))} at the most`;
  const lines = [0, top / 2, top].flatMap((value) => [
    svg("line", { x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }),
    svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, count(value)),
  ]);
  const drawn = days.flatMap(({ day, word, ghost }, place) => {
    const [low, high] = [Math.max(word, 0), Math.max(word, 0) + Math.max(ghost, 0)];
    const bar = (kind, from, to) => to > from && svg("rect", {
      class: kind, x: LEFT + place * step + gap / 2, width: step - gap, y: y(to), height: y(from) - y(to), rx: Math.min(2, step / 6),
    }, svg("title", {}, `${short(day)}: ${count(to - from)}`));
    return [bar("words", 0, low), bar("ghosts", low, high)].filter(Boolean);
  });
  const marks = [0, Math.floor((days.length - 1) / 2), days.length - 1].map((place, nth) => svg("text", {
    x: LEFT + (place + 0.5) * step, y: HEIGHT - 4, "text-anchor": nth === 2 ? "end" : "middle",
  }, short(days[place].day)));
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, ...lines, ...drawn, ...marks);
}

const KEY = 40, INDENTS = [0, 10, 30]; // of a key, and of the rows

/** `rows`: the letters of a keyboard; `slips`: [[meant, typed, how often]]. Of letters left out or added, the last one slipped. */
export function keyboard(rows, slips) {
  const times = new Map();
  for (const [meant, typed, often] of slips) {
    const keys = meant.length === typed.length ? meant : (meant.length > typed.length ? meant : typed).slice(-1);
    for (const key of keys) times.set(key, (times.get(key) ?? 0) + often);
  }
  const most = Math.max(...times.values(), 1);
  const named = [...times].sort(([, one], [, other]) => other - one).map(([key, often]) => `${key === " " ? "space" : key} ${count(often)}`);
  const key = (letter, x, y, width = KEY) => [
    svg("rect", { x, y, width: width - 4, height: KEY - 4, rx: 6 }),
    svg("rect", { class: "warm", x, y, width: width - 4, height: KEY - 4, rx: 6, "fill-opacity": 0.65 * (times.get(letter) ?? 0) / most }),
    svg("text", { x: x + width / 2 - 2, y: y + KEY / 2 + 2, "text-anchor": "middle" }, letter),
  ];
  const drawn = rows.flatMap((row, nth) => [...row].flatMap((letter, place) => letter === " " ? [] : key(letter, INDENTS[nth] + place * KEY, nth * KEY)));
  const about = { viewBox: `-1 -1 ${11 * KEY + 12} ${4 * KEY}`, role: "img", "aria-label": `Slips by key: ${named.join(", ")}` };
  return svg("svg", about, ...drawn, ...key(" ", 3 * KEY, 3 * KEY, 5 * KEY));
}
