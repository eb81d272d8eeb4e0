// What was sent and has not arrived yet: kept in the browser until the server has it, over reload,
// offline and reconnect. Each line has a client id of its own, so however often it is posted it is
// one message; one request at a time for a room, over all tabs, so the order holds.
(() => {
  const { room } = window, form = document.getElementById("composer");
  if (!room || !form) return;
  const box = form.elements.body, error = document.getElementById("composer-error");
  const words = form.dataset, id = words.draft, { person } = document.body.dataset;
  const prefix = `outbox-${person}-${id}-`, draft = `draft-${person}-${id}`;
  const AGAIN = [1000, 3000, 8000, 20000], WITHIN = 20000; // milliseconds
  const SLOWEST = 25; // bytes of a photo in a millisecond, on a line that is worth waiting for
  const forgetful = new Map(); // where nothing can be kept (full, or forbidden): this page only
  const trouble = new Map(); // client id → why it has not gone out, of this page
  const arrived = new Map(); // client id → the line: the server has it, its row is on the way
  let going = null; // what is being posted, until its row is in the page: {client, done}

  // --- the keeping: one entry a line, so that no tab overwrites what another has added
  const stored = () => {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
    return [...keys.map((key) => [key, localStorage.getItem(key)]), ...forgetful]
      .filter(([, text]) => text).map(([key, text]) => ({ key, ...JSON.parse(text) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  };
  const keep = (one) => {
    const { key, ...rest } = one, text = JSON.stringify(rest);
    if (inHandOnly.has(one.client)) return forgetful.set(key, text);
    forgetful.delete(key);
    try { localStorage.setItem(key, text); } catch {
      localStorage.removeItem(key);
      forgetful.set(key, text);
    }
  };
  const drop = ({ key, client, photo }) => {
    localStorage.removeItem(key);
    forgetful.delete(key);
    trouble.delete(client);
    if (inHand.delete(client) || photo) photos("delete", client).catch(() => {});
  };
  const add = (body, quotes, photo) => {
    const last = Number(stored().at(-1)?.key.slice(prefix.length).split("-")[0] ?? 0);
    const at = String(Math.max(Date.now(), last + 1)).padStart(15, "0"), client = window.shelf.uuid();
    const one = { key: `${prefix}${at}-${client}`, client, body, quotes, photo: Boolean(photo) };
    if (photo) shelve(one, photo); // it has its place in the order at once
    keep(one);
  };

  // A photo waits beside its entry; where the browser has no shelf for it, in this page only.
  const inHand = new Map(), inHandOnly = new Set(); // client id → photo; those on no shelf (yet)
  const photos = window.shelf.ask;
  // Other tabs learn of it when they can find the photo.
  const shelve = ({ key, client }, photo) => {
    inHand.set(client, photo);
    inHandOnly.add(client);
    photos("put", photo, client).then(() => {
      inHandOnly.delete(client);
      const waits = forgetful.get(key);
      if (waits) keep({ key, ...JSON.parse(waits) });
      else photos("delete", client).catch(() => {}); // gone already
    }, () => {});
  };
  const photoOf = async ({ client }) => inHand.get(client) ?? (await photos("get", client).catch(() => null));

  // --- what is seen of it: rows below the room's own
  const place = document.createElement("ol");
  Object.assign(place, { className: "messages unsent", id: "outbox" });
  document.querySelector(".lines").append(place);
  const make = (tag, name, text = "") => Object.assign(document.createElement(tag), { className: name, textContent: text });
  const button = (text, act) => {
    const made = Object.assign(make("button", "link", text), { type: "button" });
    made.addEventListener("click", act);
    return made;
  };
  const row = (one, state) => {
    const item = make("li", `message mine is-${state}`), bubble = make("div", "bubble"), said = make("div", "said");
    const body = Object.assign(make("p", "body", one.body), { dir: "auto" });
    const stamp = make("p", "stamp", state === "unsent" ? "" : state === "pending" ? words.wordsSending : "");
    if (state === "unsent") {
      stamp.append(make("b", "", `${words.wordsUnsent} – `), button(words.wordsAgain, () => again(one)), " ", button(words.wordsBack, () => takeBack(one)));
      stamp.append(make("span", "why", one.why ?? trouble.get(one.client)));
    }
    if (one.photo) {
      const image = make("img", "shot");
      photoOf(one).then((photo) => photo && (image.src = URL.createObjectURL(photo)));
      image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
      bubble.append(image);
    } else {
      if (one.quotes?.id) bubble.append(room.quote(one.quotes));
      bubble.append(body);
    }
    bubble.append(stamp);
    said.append(bubble);
    item.append(said);
    item.dataset.unsent = one.client;
    return item;
  };
  const here = (client) => document.querySelector(`[data-client="${client}"]`);
  const draw = () => {
    for (const client of arrived.keys()) if (here(client)) arrived.delete(client);
    if (going && here(going.client)) going.done(); // the row says more than the answer would
    const waiting = stored().filter((one) => !arrived.has(one.client));
    for (const one of waiting.filter(({ client }) => here(client))) drop(one);
    const rows = [...arrived.values()].map((one) => row(one, "arrived"));
    for (const one of waiting) if (!here(one.client)) rows.push(row(one, one.why || trouble.has(one.client) ? "unsent" : "pending"));
    const focused = place.contains(document.activeElement);
    if (!focused || rows.length !== place.children.length) place.replaceChildren(...rows);
  };

  // --- the sending
  const again = (one) => {
    trouble.delete(one.client);
    keep({ ...one, why: undefined });
    document.activeElement?.blur?.();
    draw();
    pump();
  };
  const takeBack = (one) => {
    drop(one);
    if (one.body) box.value = [box.value.trim(), one.body].filter(Boolean).join("\n"); // beside what is typed by now
    if (one.quotes?.id && !answered()) room.answer(one.quotes);
    error.textContent = one.why ?? "";
    box.focus();
    remember();
    draw();
  };
  const refuse = (one, why) => {
    keep({ ...one, why });
    window.live?.say(`${words.wordsUnsent}: ${why}`);
  };
  // True: the next one may follow. A number: milliseconds until it is tried again.
  const post = async (one) => {
    const photo = one.photo && (await photoOf(one));
    if (one.photo && !photo) return refuse(one, words.wordsNoPhoto), true;
    const fields = photo ? new FormData() : new URLSearchParams();
    for (const [name, value] of Object.entries({ body: one.body, client_id: one.client, quotes: one.quotes?.id ?? one.quotes, photo })) {
      if (value) fields.append(name, value);
    }
    const there = photo ? document.getElementById("photo-form").action : form.action;
    const limit = { signal: AbortSignal.timeout(WITHIN + (photo ? photo.size / SLOWEST : 0)) };
    const asked = fetch(there, { method: "POST", body: fields, headers: { Accept: "application/json" }, ...limit });
    const answer = await Promise.race([asked.catch(() => null), new Promise((done) => (going = { client: one.client, done: () => done("here") }))]);
    going = null;
    if (answer === "here" || here(one.client)) return drop(one), (tries = 0), true; // whichever came first
    if (!answer) {
      trouble.set(one.client, words.wordsOffline);
      return AGAIN[Math.min(tries++, AGAIN.length - 1)];
    }
    tries = 0;
    if (answer.ok) {
      drop(one);
      arrived.set(one.client, one);
      setTimeout(() => here(one.client) || room.pull().then(draw), 500);
      return true;
    }
    const problem = await answer.json().catch(() => ({}));
    const why = [problem.detail, problem.way_out].filter(Boolean).join(" ");
    if (answer.status === 401) return trouble.set(one.client, words.wordsSignedOut), AGAIN.at(-1);
    if (answer.status === 429 || answer.status >= 500) {
      trouble.set(one.client, why || words.wordsOffline);
      return 1000 * (Number(answer.headers.get("Retry-After")) || 3);
    }
    refuse(one, why || words.wordsUnsent);
    return true;
  };
  let busy = false, missed = false, tries = 0, timer = 0;
  const run = async () => {
    for (let one; (one = stored().find(({ why }) => !why)); ) {
      const next = await post(one);
      draw();
      if (next !== true) return (timer = setTimeout(pump, next));
    }
  };
  const pump = async () => {
    clearTimeout(timer);
    if (busy) return (missed = true);
    busy = true;
    // Other tabs of this browser wait; where there are no locks, the client id still makes it one.
    try {
      do {
        missed = false; // what was added while the last answer came, or the lock was given back
        await (navigator.locks ? navigator.locks.request(prefix, run) : run());
      } while (missed);
    } finally { busy = false; }
  };

  // --- the box
  const answering = document.getElementById("answering");
  const answered = () => form.elements.quotes && room.quoted(answering);
  const remember = () => {
    const quotes = answered();
    if (!box.value && !quotes) return sessionStorage.removeItem(draft);
    try { sessionStorage.setItem(draft, JSON.stringify({ body: box.value, quotes })); } catch { /* it is in the box */ }
  };
  const typed = JSON.parse(sessionStorage.getItem(draft) ?? "{}");
  box.value ||= typed.body ?? "";
  if (typed.quotes && !answered()) room.answer(typed.quotes);
  box.addEventListener("input", remember);
  new MutationObserver(remember).observe(answering, { childList: true });
  box.addEventListener("keydown", (event) => {
    const alone = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.isComposing;
    if (event.key !== "Enter" || !alone || !matchMedia("(hover: hover)").matches) return;
    event.preventDefault();
    if (box.value.trim()) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!box.value.trim()) return;
    add(box.value, answered());
    box.value = error.textContent = "";
    answering.replaceChildren();
    remember();
    draw();
    box.focus();
    document.dispatchEvent(new Event("room:said"));
    pump();
  });

  form.querySelector(".attach input").addEventListener("change", ({ target }) => {
    const [photo] = target.files;
    if (!photo) return;
    add("", undefined, photo);
    target.value = "";
    draw();
    document.dispatchEvent(new Event("room:said"));
    pump();
  });

  new MutationObserver(draw).observe(document.getElementById("timeline").querySelector(".lines"), { childList: true });
  new MutationObserver(draw).observe(room.list(), { childList: true, subtree: true, attributeFilter: ["data-client"] });
  window.addEventListener("storage", (event) => {
    if (!(event.key ?? prefix).startsWith(prefix)) return;
    draw();
    pump(); // the tab that wrote it may be closed before it has sent it
  });
  window.addEventListener("online", pump);
  document.addEventListener("live:drawn", pump);
  draw();
  pump();
})();
