// The live engine's browser half: watches the page's regions, applies what is newer, heals after
// any gap, and says in #liveness how true the page is. The protocol: app/realtime/README.md.
(() => {
  const { body } = document, { person } = body.dataset;
  if (!person) return;
  const access = `u${person}/access`, line = document.getElementById("liveness");
  const shown = new Map(); // topic → version in the page
  const gone = new Map(); // tombstones: a late answer revives nothing
  const pending = new Set(), said = []; // watches not answered yet; what to read out
  let socket = null, held = null, tries = 0, n = 0, heardAt = 0, askedAt = 0, trueAt = Number(body.dataset.keptAt) || Date.now(), lostAt = Date.now();
  const most = 500; // regions watched at a time: the server allows 512
  let ours = false, collecting = 0, crowded = false, retrying = 0, chain = Promise.resolve();
  let paused = /(^|; )live-paused=1/.test(document.cookie); // of the device: signing out leaves it
  const region = (topic) => document.querySelector(`[data-topic="${CSS.escape(topic)}"]`);
  const versionOf = (el) => Number(el.dataset.version) || 0;
  const inTurn = (act) => (chain = chain.then(act).catch(console.error));

  // --- the page: what is in it, at which version
  const nearest = (all) => { // of too many regions: all that are in no list, then what is in sight
    const far = (el) => el.parentElement.closest("[data-topic]") ? Math.abs(el.getBoundingClientRect().top - innerHeight / 2) : -1;
    return [...all].map((one) => [far(one[1]), one]).sort(([a], [b]) => a - b).slice(0, most).map(([, one]) => one);
  };
  const collect = () => {
    collecting = 0;
    const all = new Map(), fresh = {};
    for (const el of document.querySelectorAll("[data-topic]")) {
      const { topic } = el.dataset;
      if (gone.get(topic) > versionOf(el)) bury(el, gone.get(topic));
      else if (!("gone" in el.dataset)) gone.delete(topic);
      if (!all.has(topic)) all.set(topic, el);
    }
    crowded = all.size > most;
    const found = new Map((crowded ? nearest(all) : [...all]).map(([topic, el]) => [topic, versionOf(el)]));
    for (const [topic, version] of found) {
      if (shown.get(topic) !== version) shown.set(topic, (fresh[topic] = version));
    }
    const left = [...shown.keys()].filter((topic) => !found.has(topic));
    for (const topic of left) shown.delete(topic);
    if (left.length) send({ unwatch: left });
    watch(fresh);
  };
  const seen = { childList: true, subtree: true, attributeFilter: ["data-topic", "data-version"] };
  // Slower where there are too many: what scrolls by must not come to 20 messages a second.
  const soon = () => (collecting ||= setTimeout(collect, crowded ? 500 : 120));
  new MutationObserver(soon).observe(body, seen);
  window.addEventListener("scroll", () => crowded && soon(), { passive: true });
  const bury = (el, version) => {
    gone.set(el.dataset.topic, version);
    // Who keeps the place of what has gone (newcomers.js) says so; what was in it goes anyhow.
    if (el.dispatchEvent(new CustomEvent("live:gone", { bubbles: true, cancelable: true }))) el.hidden = true;
    el.replaceChildren();
    Object.assign(el.dataset, { gone: "", version });
  };

  // --- swaps: an edited form stays as it is, focus and half-typed words anyhow
  const edited = (form) => [...form.elements].some((field) =>
    /^(checkbox|radio)$/.test(field.type) ? field.checked !== field.defaultChecked
      : /^(text|search|number|date|time|datetime-local|email|textarea)$/.test(field.type) && field.value !== field.defaultValue);
  htmx.registerExtension("live", { htmx_before_morph_node: (el) => !(ours && el.matches("form") && edited(el)) });
  const morph = async (target, text, style = "outerMorph") => {
    ours = true;
    try { await htmx.swap({ text, target, sourceElement: target, swap: `${style} settle:0ms` }); } finally { ours = false; }
  };
  const freshen = (el) => {
    const plain = () => el.classList.remove("is-fresh");
    el.classList.add("is-fresh");
    el.addEventListener("animationend", plain, { once: true });
    setTimeout(plain, 4000);
    if (el.dataset.announce) say(el.dataset.announce);
  };
  const say = (words) => said.push(words) === 1 && setTimeout(readOut, 1500);
  const readOut = () => {
    const words = said.splice(0), place = document.getElementById("announcer");
    if (place) place.textContent = words.slice(0, 3).join(". ") + (words.length > 3 ? ` (+${words.length - 3})` : "");
  };

  // --- frames
  const apply = async (frame) => {
    if (frame.ttl) return document.dispatchEvent(new CustomEvent("live:company", { detail: frame }));
    const { topic, version, html } = frame, el = region(topic);
    if (topic === access) body.dataset.access = version;
    if (!el || version < versionOf(el) || version < gone.get(topic)) return;
    shown.set(topic, version);
    if (frame.items) takeItems(el, frame);
    else if (html === undefined) el.dataset.version = version;
    else if (html === null) bury(el, version);
    else if (frame.reset || "since" in frame) await takeRows(el, frame);
    else await takeWhole(el, frame);
  };
  const takeItems = (list, frame) => {
    list.dataset.version = frame.version;
    list.dispatchEvent(new CustomEvent("live:items", { bubbles: true, detail: frame }));
  };
  const takeWhole = async (el, { topic, version, html }) => {
    const before = el.textContent;
    if (html.trim()) await morph(el, html);
    const now = region(topic);
    if (!now) return;
    now.dataset.version = version;
    if (now.textContent !== before) freshen(now);
  };
  const takeRows = async (list, { topic, version, since, reset, html }) => {
    const had = versionOf(list);
    if (since > had) return watch({ [topic]: had }); // there is a gap: ask from where we are
    const rows = document.createElement("template");
    rows.innerHTML = html;
    if (reset) list.dispatchEvent(new Event("live:reset"));
    if (reset) await morph(list, html || "<!-- -->", "innerMorph");
    else for (const row of [...rows.content.children]) {
      const old = document.getElementById(row.id);
      if (old && Number(row.dataset.revision) >= Number(old.dataset.revision)) await morph(old, row.outerHTML);
      if (old || !(Number(row.dataset.born) > had)) continue;
      list.append(row);
      htmx.process(row);
      freshen(row);
    }
    list.dataset.version = version;
    delete list.dataset.gone;
    list.hidden = false;
  };

  // --- the socket
  const send = (message) => socket?.readyState === 1 && (socket.send(JSON.stringify(message)), true);
  const watch = (wanted) => {
    const all = Object.entries(wanted);
    if (!pending.size) askedAt = Date.now();
    for (let i = 0; i < all.length; i += 250) {
      if (send({ watch: Object.fromEntries(all.slice(i, i + 250)), n: ++n })) pending.add(n);
    }
  };
  const watchAll = () => watch({ [access]: Number(body.dataset.access) || 0, ...Object.fromEntries(shown) });
  const hear = ({ data }) => {
    const frame = JSON.parse(data);
    heardAt = Date.now();
    if (frame.topic) inTurn(() => apply(frame));
    if (frame.live) inTurn(() => { pending.delete(frame.live); tries = 0; trueAt = Date.now(); tell(); document.dispatchEvent(new Event("live:drawn")); });
    if ("beat" in frame) trueAt = Date.now() - frame.beat * 1000;
    if (frame.epoch && frame.epoch !== (body.dataset.epoch ||= frame.epoch)) reload();
    tell();
  };
  const drop = () => {
    if (!socket) return;
    if (held) lostAt = Date.now();
    Object.assign(socket, { onopen: null, onclose: null, onmessage: null }).close();
    socket = held = null;
    pending.clear();
    tell();
  };
  const connect = () => {
    clearTimeout(retrying);
    if (paused || socket) return;
    heardAt = Date.now();
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/live`);
    socket.onopen = () => { held = true; collect(); pending.clear(); watchAll(); };
    socket.onmessage = hear;
    socket.onclose = ({ code }) => {
      drop();
      if (code === 4401) return reload();
      retrying = setTimeout(connect, (0.5 + Math.random()) * Math.min(20000, 500 * 2 ** tries++));
    };
  };
  const wake = () => {
    if (document.visibilityState === "hidden") return;
    if (Date.now() - heardAt > 12000) drop(); // asleep, or a dead line: do not trust it
    if (socket?.readyState === 1) watchAll();
    else connect();
  };
  for (const [where, what] of [[window, "online"], [window, "pageshow"], [document, "visibilitychange"]]) where.addEventListener(what, wake);
  window.addEventListener("offline", () => { drop(); lostAt = 0; retrying = setTimeout(connect, 5000); tell(); });
  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.("[data-live-pause]")) return;
    paused = !paused;
    document.cookie = `live-paused=${Number(paused)}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
    if (paused) { drop(); clearTimeout(retrying); } else connect();
    tell();
  });

  // --- how true the page is
  const tell = () => {
    for (const button of document.querySelectorAll("[data-live-pause]")) button.setAttribute("aria-pressed", paused);
    const open = socket?.readyState === 1, old = Date.now() - trueAt;
    const catching = open ? old < 26000 : !paused && Date.now() - lostAt < 4000;
    // A short question of a page that is live anyhow is not worth a word.
    const answered = !pending.size || (line?.dataset.state === "live" && Date.now() - askedAt < 700);
    const state = open && answered && old < 16000 ? "live" : catching ? "catching" : "offline";
    if (!line) return;
    const { textLive, textCatching, textOffline, textPaused, zone } = line.dataset;
    const text = { live: textLive, catching: textCatching, offline: (paused && textPaused) || textOffline }[state] ?? state;
    const time = new Date(trueAt).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", timeZone: zone });
    const words = text.replace("{time}", time);
    if (line.textContent !== words) line.textContent = words;
    if (line.dataset.state !== state) line.dataset.state = state;
  };
  setInterval(() => {
    if (socket && Date.now() - heardAt > 25000) { drop(); connect(); }
    tell();
  }, 1000);
  const reload = () => {
    if (Date.now() - Number(sessionStorage.getItem("live-reloaded")) < 15000) return;
    sessionStorage.setItem("live-reloaded", Date.now());
    window.dispatchEvent(new Event("live:reload")); // drafts.js keeps what was typed
    location.reload();
  };
  window.live = { region, versionOf, inTurn, apply, morph, freshen, say, send };
  connect();
})();
