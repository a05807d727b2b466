// Which elements of a page are fields to write prose in. In doubt an element is none.
if (!Object.hasOwn(globalThis, "idiolect")) globalThis.idiolect = {};

idiolect.fields ??= (() => {
  /** Values of `autocomplete` that say what a field holds which is nobody's prose. */
  const NEVER_AUTOCOMPLETE =
    /^(?:cc-|.*password$|one-time-code$|webauthn$|email$|username$|tel(?:-|$)|url$|impp$|bday|sex$|postal-code$|transaction-|photo$)/;
  /** What a page calls a field that holds a secret, in its name, id, title, placeholder or label: in a field of any kind. */
  const SECRET_NAME = new RegExp(
    String.raw`(?:^|[\W_])(?:` +
      String.raw`pass(?:word|wd|code|phrase|key)?s?|pwd|pw|secret|token|otp|totp|mfa|2fa|pin(?:code)?|tan|cvc2?|cvv2?|csc|` +
      String.raw`mnemonic|recovery-?(?:phrase|code|key|words?)|seed-?(?:phrase|words?)|backup-?(?:phrase|codes?|words?)|` +
      String.raw`(?:security|verification|confirmation|access|one-?time|auth\w*|login|sms|card)-?(?:code|key|number)|` +
      String.raw`(?:security|secret)-?(?:question|answer)|(?:api|private|licen[cs]e|secret|encryption|master)-?key|` +
      String.raw`card-?(?:number|no|num)|iban|bic|account-?(?:number|no)|ssn|social-?security(?:-?number)?|tax-?id|` +
      String.raw`passwort|kennwort|passphrase|sicherheitscode|best(?:ä|ae)tigungscode|wiederherstellungs(?:schl(?:ü|ue)ssel|code|phrase)|` +
      String.raw`mot-?de-?passe|code-?(?:secret|de-?s(?:é|e)curit(?:é|e)|pin)|phrase-?(?:secr(?:è|e)te|de-?r(?:é|e)cup(?:é|e)ration)|` +
      String.raw`contrase(?:ñ|n)a|clave|c(?:ó|o)digo-?de-?(?:seguridad|seguran(?:ç|c)a|verificaci(?:ó|o)n)|frase-?(?:semilla|de-?recuperaci(?:ó|o)n)|` +
      String.raw`senha|parola-?d-?ordine|codice-?(?:di-?sicurezza|segreto)|wachtwoord|beveiligingscode|has(?:ł|l)o|` +
      String.raw`l(?:ö|o)senord|adgangskode|passord|salasana|heslo|jelsz(?:ó|o)|(?:ş|s)ifre` +
      String.raw`)(?:$|[\W_])|парол|пин-?код|密[码碼]|口令|助记词|パスワード|暗証番号|비밀번호`,
  );
  /** And one of a line that holds no sentence. */
  const NEVER_NAME =
    /(?:^|[\W_])(?:card|routing|sin|nif|e-?mail|username|user-?name|login|phone|mobile|zip|postcode|search|query|captcha|q)(?:$|[\W_])/;
  /** And one of a line that holds a name or a place: a form's, where no word is mended by itself. */
  const DATUM_NAME = /(?:^|[\W_])(?:name|surname|city|town|street|address|country|company|organi[sz]ation|tags?)(?:$|[\W_])/;
  /** Keys that type nothing by themselves. */
  const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"];
  const NAMES = ["name", "id", "title", "aria-label", "placeholder", "aria-placeholder", "data-placeholder"];
  const secrets = new WeakSet();
  const named = new WeakMap(); // element → what it was called when that was last looked at, and what that says
  const MIN_CHARS = 20; // a field that takes fewer is for no sentence
  const MAX_LABEL_CHARS = 100; // of what stands on one label
  const MAX_CHARS = 500; // of what a page calls a field; `autocomplete` is sent, and the service takes 1,000

  /** "userPassword2" and "Recovery phrase" as words: user-password-2, recovery-phrase. */
  const words = (name) =>
    name.replace(/(\p{Ll})(\p{Lu})/gu, "$1-$2").replace(/\d+/g, "-").replace(/[^\S\n]+/g, "-").toLowerCase();

  const textOf = (element) => (element?.textContent ?? "").slice(0, MAX_LABEL_CHARS);

  /** What a page calls a field, line by line: its names, and what stands on the labels that it gives to it. */
  function namesOf(element) {
    const called = NAMES.map((name) => element.getAttribute(name)?.slice(0, MAX_CHARS) ?? "");
    const by = (element.getAttribute("aria-labelledby") ?? "").slice(0, MAX_CHARS).split(/\s+/).filter(Boolean);
    const root = element.getRootNode();
    const labels = [...by.map((id) => root.getElementById?.(id)), ...(element.labels ?? []), element.closest("label")];
    return [...called, ...labels.map(textOf)].join("\n");
  }

  /** `{ secret, prose, datum }` by what a page calls a field; looked at again once it is called otherwise. */
  function judged(element) {
    const names = namesOf(element);
    const known = named.get(element);
    if (known?.names === names) return known;
    const told = words(names);
    const line = element instanceof HTMLInputElement;
    const found = { names, secret: SECRET_NAME.test(told), prose: !(line && NEVER_NAME.test(told)), datum: line && DATUM_NAME.test(told) };
    named.set(element, found);
    return found;
  }

  /** Whether a page says in any way that a secret belongs into a field, or shows its text as dots. */
  const isSecret = (element) => secrets.has(element) || judged(element).secret || isMasked(element) || isNamedNever(element);

  const completes = (element) => (element.getAttribute("autocomplete") ?? "").trim().toLowerCase();

  function isNamedNever(element) {
    const complete = completes(element);
    return complete.length > MAX_CHARS || complete.split(/\s+/).some((token) => NEVER_AUTOCOMPLETE.test(token));
  }

  function isRefused(element) {
    return (
      (element.getAttribute("spellcheck")?.toLowerCase() === "false" && completes(element) === "off") ||
      element.closest('[data-idiolect="off"], [role="search"], search') !== null ||
      ["email", "numeric", "decimal", "tel", "url", "search"].includes(element.inputMode) ||
      ["searchbox", "combobox", "spinbutton"].includes(element.getAttribute("role")) ||
      !["", "none"].includes(element.getAttribute("aria-autocomplete") ?? "") ||
      !judged(element).prose ||
      isSecret(element)
    );
  }

  /** Whether characters are shown as dots, by a style that some pages give to what should be a password field. */
  const isMasked = (element) => !["none", "", undefined].includes(getComputedStyle(element).webkitTextSecurity);

  /** "plain" for a text area or an input, "rich" for an element that is edited; null for all that is none. */
  function kindOf(element) {
    if (element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement) {
      const typed = element instanceof HTMLTextAreaElement || element.type === "text";
      if (element.type === "password") secrets.add(element); // for good: pages turn it into text to show it
      const short = element.maxLength >= 0 && element.maxLength < MIN_CHARS;
      return typed && !short && !secrets.has(element) && !element.readOnly && !element.disabled && !element.list ? "plain" : null;
    }
    return element instanceof HTMLElement && element.isContentEditable ? "rich" : null;
  }

  /** The element that is edited as one: the outermost that is editable. */
  function editingHost(element) {
    let host = element;
    while (host.parentElement?.isContentEditable) host = host.parentElement;
    return host;
  }

  /** Whether sure slips may be mended by themselves: not in a form's datum, nor where the page says no, as code editors do. */
  function mayMend(element) {
    const isDatum = element instanceof HTMLInputElement && (judged(element).datum || !["", "on", "off"].includes(completes(element)));
    return !isDatum && element.closest('[autocorrect="off"], textarea[spellcheck="false"], pre, code') === null;
  }

  /** `{ element, kind, purpose, mends }` for a field that may be looked at, else null. */
  function of(element) {
    const kind = element ? kindOf(element) : null;
    if (kind === null) return null;
    const field = kind === "rich" ? editingHost(element) : element;
    if (isRefused(field)) return null;
    return { element: field, kind, purpose: field.getAttribute("autocomplete") ?? "", mends: mayMend(field) };
  }

  const shadowOf = (element) =>
    globalThis.chrome?.dom?.openOrClosedShadowRoot?.(element) ?? element.openOrClosedShadowRoot ?? element.shadowRoot;

  /** The element that has the focus, in whatever shadow tree, and the roots on the way to it. */
  function focused() {
    const roots = [];
    let element = document.activeElement;
    for (;;) {
      const root = element instanceof HTMLElement ? shadowOf(element) : null;
      if (!root?.activeElement) return { element, roots };
      roots.push(root);
      element = root.activeElement;
    }
  }

  return { MODIFIERS, of, isSecret, focused };
})();
