// Photos in the form of a new tool: they go out while the rest is typed, and wait for it on the
// server. Their order is that of the rows, the first is the cover; all of it is kept over a reload.
(() => {
  const field = document.getElementById("first-photos"), form = field?.closest("form");
  if (!form) return;
  const words = field.dataset, list = document.getElementById("photos-waiting"), { waiting: names, photo: input } = form.elements;
  const MOST = Number(words.most), OLD = 2 * 24 * 3600 * 1000; // milliseconds
  const mine = `first-${document.body.dataset.person}-`;
  // Each tab has a form of its own.
  const session = { get: (key) => { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } },
    set: (key, value) => { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* full: it is in the page still */ } } };
  const tab = session.get("first-tab") ?? window.shelf.uuid();
  session.set("first-tab", tab);
  const prefix = `${mine}${tab}-${form.dataset.draft}-`, kept = session.get(prefix) ?? { order: [] };

  const { make } = window.photos;
  const rows = () => [...list.children], client = (row) => row.id.slice("waits-".length);
  const clients = () => rows().map(client);
  const move = (row, by) => {
    const all = rows(), at = all.indexOf(row), other = all[at + by];
    if (!other) return;
    other[by > 0 ? "after" : "before"](row);
    settle();
    const again = row.querySelector(`[data-by="${by}"]`);
    (again.hidden ? row.querySelector("[data-by]:not([hidden])") : again)?.focus();
  };
  const dress = (row) => {
    const acts = make("div", "acts"), grip = make("span", "grip", "⋮⋮");
    grip.dataset.grip = "";
    grip.setAttribute("aria-hidden", "true");
    acts.append(grip);
    for (const [text, by] of [[words.wordsEarlier, -1], [words.wordsLater, 1], [words.wordsAway, 0]]) {
      const sign = make("span", "", { "-1": "↑", 1: "↓", 0: "×" }[by]);
      sign.setAttribute("aria-hidden", "true");
      const button = Object.assign(make("button", "quiet"), { type: "button", title: text });
      button.append(sign, Object.assign(make("span", "unseen"), { words: text }));
      if (by) button.dataset.by = by;
      button.addEventListener("click", () => {
        if (by) return move(row, by);
        const next = row.nextElementSibling ?? row.previousElementSibling;
        photos.drop(client(row));
        (next?.querySelector("button:not([hidden])") ?? input).focus();
      });
      acts.append(button);
    }
    row.append(make("b", "cover", words.wordsCover), acts);
  };
  const settle = (sent = false) => {
    const all = rows();
    for (const [at, row] of all.entries()) {
      if (!row.querySelector(".acts")) dress(row);
      for (const word of row.querySelectorAll(".unseen")) word.textContent = `${word.words}: ${words.wordsPhoto} ${at + 1}`;
      row.querySelector(".cover").hidden = at > 0;
      row.querySelector('[data-by="-1"]').hidden = at === 0;
      row.querySelector('[data-by="1"]').hidden = at === all.length - 1;
    }
    names.value = clients().join(",");
    session.set(prefix, { order: clients(), sent });
    go();
  };
  const photos = window.photos.uploads({
    words, place: list, action: words.action, prefix,
    arrived: (one) => photos.keep(one),
    changed: () => settle(),
  });

  // --- the form itself waits for its photos, and for the connection
  const button = form.querySelector("button:not([type])"), label = button.textContent;
  let asked = false, checking = false;
  const go = async () => {
    if (!asked || checking) return;
    const left = photos.left();
    if (left.length || button.textContent !== words.wordsLost) button.textContent = left.length ? words.wordsSending.replace("{n}", left.length) : label;
    if (left.some(([, { final }]) => final)) return stop();
    if (left.length) return;
    checking = true;
    const there = await fetch(`${form.dataset.suggest}?name=`).catch(() => null);
    checking = false;
    if (!there) {
      button.textContent = words.wordsLost;
      return setTimeout(go, 3000);
    }
    asked = false;
    session.set(prefix, { order: clients(), sent: true });
    input.disabled = true; // what is in it has been sent
    form.dataset.ready = "1";
    form.requestSubmit(button);
    delete form.dataset.ready;
  };
  const stop = () => {
    asked = false;
    button.textContent = label;
    list.querySelector(".error")?.scrollIntoView({ block: "center" });
  };
  form.addEventListener("submit", (event) => {
    if (form.dataset.ready || !photos.all.size) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // it is not sent yet, as far as form-draft.js goes
    asked = true;
    photos.pump();
    go();
  }, { capture: true });
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    photos.take(files, MOST - photos.all.size);
  });
  list.addEventListener("sorted", () => settle());
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) input.disabled = false; });

  // --- what waits from before: unless it was taken
  const taken = kept.sent && !("again" in form.dataset);
  const named = names.value ? names.value.split(",") : []; // a form again has what the server knows of
  const before = taken ? [] : [...new Set([...kept.order, ...named])];
  window.shelf.ask("getAllKeys").catch(() => []).then(async (keys) => {
    for (const key of keys.map(String).filter((one) => one.startsWith(mine))) {
      const old = await window.shelf.ask("get", key).catch(() => null);
      const ours = key.startsWith(prefix);
      if (ours ? !before.includes(key.slice(prefix.length)) : Date.now() - (old?.at ?? 0) > OLD) window.shelf.ask("delete", key).catch(() => {});
    }
    for (const one of before) {
      const there = keys.includes(prefix + one) && (await window.shelf.ask("get", prefix + one).catch(() => null));
      if (there) photos.show(one, there.photo, there.sent);
      else if (named.includes(one)) photos.show(one, null, true); // no shelf, but the server has it
    }
    settle();
    photos.pump();
  });
})();
