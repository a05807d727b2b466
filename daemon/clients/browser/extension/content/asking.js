// Asking for suggestions at the cursor: of two keys that come faster than answers, the last one is asked for.
idiolect.asking ??= (() => {
  const { now, fields, text, learning, link, showing, context } = idiolect;
  const MAX_ASKED = 2; // at a time
  const MAX_ENDED = 8; // words that have ended and were not asked about yet
  const ENDED = /[\p{L}\p{N}'’][^\p{L}\p{N}'’]{1,3}$/u;
  const ONCE_MORE_MS = 400; // after an answer that did not come: the host ended, or the service was too busy

  const waiting = new Map(); // number → the text around the cursor that was asked for
  let ended = []; // texts in which a word has just ended, to be asked about once the service has time for it
  let asked = 0;
  let again = false; // a key came while as many were asked for as may be
  let missed = null; // the prefix whose answer did not come, and which is asked for once more
  let left = () => {};

  function ask() {
    const { field, mode, composing } = now;
    if (field === null || mode === "off" || composing) return;
    if (now.stretch?.without) return tellTyping(field);
    const around = text.around(field);
    if (around !== null && isAsked(around)) return; // a key and the change that it makes are two events
    if (fields.of(field.element) === null) return left(); // the page has made something else of it
    if (around === null || around.prefix.trim() === "" || showing.isDismissed(around.prefix)) return showing.hide();
    const question = { ...around, field, at: performance.now() };
    if (waiting.size < MAX_ASKED) return send(question);
    again = true;
    const isNew = ended.at(-1)?.prefix !== around.prefix;
    if (isNew && ENDED.test(around.prefix)) ended = [...ended, question].slice(-MAX_ENDED);
  }

  function send({ field, prefix, suffix, at }) {
    const id = ++asked;
    const answers = context.texts();
    waiting.set(id, { id, field, prefix, suffix, answers, at });
    showing.outdate();
    const told = { prefix, suffix, context: answers, input_purpose: field.purpose, letter_ms: now.speed.medianMs };
    link.tell({ do: "suggest", id, ...told });
  }

  /** Tell the service that its user types where nothing is to be suggested: it answers whether the trial still runs. */
  function tellTyping({ purpose }) {
    if (waiting.size > 0) return;
    const id = ++asked;
    waiting.set(id, { id, field: null, prefix: "", suffix: "" });
    link.tell({ do: "suggest", id, prefix: "", suffix: "", input_purpose: purpose, candidates: 0, ghost_words: 0 });
  }

  /** What an answer says of the trial: a stretch of writing ends with it. */
  function heard({ trial = false }) {
    now.trial = trial;
    if (trial || !now.stretch) return;
    const { without } = now.stretch;
    now.stretch = null;
    if (without) ask();
  }

  /** Whether this field's answer for a text is awaited or shown, with all that is known of what it answers. */
  function isAsked({ prefix, suffix }) {
    const last = [...waiting.values()].filter(isHere).at(-1) ?? showing.current() ?? showing.last();
    if (!last || last.kept || last.answers !== context.texts()) return false;
    return last.prefix === prefix && last.suffix === suffix;
  }

  /** The question that an answer with this number is for; null where its field has the focus no longer. */
  function answered(id) {
    const prompt = waiting.get(id);
    waiting.delete(id);
    ended = ended.filter(isHere);
    if (ended.length > 0) send(ended.shift());
    else if (again) {
      again = false;
      ask();
    }
    return prompt && isHere(prompt) ? prompt : null;
  }

  const isHere = ({ field }) => field !== null && now.field !== null && field.element === now.field.element;

  /** Text before the cursor has been replaced: in the questions that go on from there, too. */
  function replace(from, to) {
    for (const question of [...waiting.values(), ...ended]) {
      if (!isHere(question) || !question.prefix.startsWith(from)) continue;
      const behind = question.prefix.slice(from.length);
      question.prefix = to + behind;
      if (waiting.has(question.id)) question.intact = Math.min([...behind].length, question.intact ?? Infinity);
    }
  }

  /** What holds of an answer: where text was replaced since it was asked for, nothing that reaches before its end. */
  function holding({ intact = Infinity }, answer) {
    if (!answer || intact === Infinity) return answer;
    const holds = ({ replace = 0 }) => replace <= intact;
    const { words, correction } = answer;
    return { ...answer, words: words.filter(holds), correction: correction && holds(correction) ? correction : null };
  }

  /** No answer came to a question: ask once more, unless its user types on. */
  function miss(prompt) {
    if (prompt.prefix === missed) return;
    missed = prompt.prefix;
    setTimeout(() => showing.stands(prompt) && ask(), ONCE_MORE_MS);
  }

  /** No answer will come to what was asked. */
  function lose() {
    again = false;
    ended = [];
    waiting.clear();
  }

  /** After the page has dealt with a key: editors change their text by themselves, some of them later. */
  function soon(offer = null) {
    setTimeout(() => {
      if (now.field === null) return;
      ask(); // first, since the answer takes longer than all else
      learning.sync();
      if (offer !== null) showing.drawHere(offer);
      else showing.follow();
    });
  }

  /** Calls `then` where the field turns out to be none any more. */
  function onLeft(then) {
    left = then;
  }

  return { ask, soon, answered, heard, holding, replace, miss, lose, onLeft };
})();
