// What is typed into a long form is kept as it is typed, until it has been taken: over a reload, a
// closed lid, a page left by mistake. It goes with its writer's session (shell.js). Never a code.
(() => {
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const key = `draft-${document.body.dataset.person}-form-${form.dataset.draft}`; // whose it is, as drafts.js reads it
  const secret = (field) => field.name === "key_code" || field.name === "key_place";
  const fields = () => [...form.elements].filter((field) =>
    field.name && !/^(hidden|file|submit|button)$/.test(field.type) && !secret(field));
  const on = (field) => (/^(checkbox|radio)$/.test(field.type) ? field.checked : field.value);
  const was = (field) => {
    if (!field.options) return /^(checkbox|radio)$/.test(field.type) ? field.defaultChecked : field.defaultValue;
    return ([...field.options].find((one) => one.defaultSelected) ?? field.options[0])?.value;
  };
  const read = () => { try { return JSON.parse(sessionStorage.getItem(key) ?? "null"); } catch { return null; } };
  const keep = (sent) => {
    try { sessionStorage.setItem(key, JSON.stringify({ sent, words: fields().map((field) => [field.name, on(field)]) })); } catch { /* full: it is in the page still */ }
  };
  const kept = read();
  // Sent, and this is not the same form again with what was wrong: then it was taken.
  if (kept && (kept.sent || "again" in form.dataset)) sessionStorage.removeItem(key);
  else if (kept) {
    const named = new Map(kept.words);
    for (const field of fields()) {
      if (!named.has(field.name)) continue;
      const value = named.get(field.name);
      if (typeof value === "boolean") field.checked = value;
      else field.value = value;
      // What was typed is not folded away.
      const more = field.closest("details");
      if (more && on(field) !== was(field)) more.open = true;
    }
  }
  form.addEventListener("input", () => keep(false));
  form.addEventListener("submit", () => keep(true));
})();
