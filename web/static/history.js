// A room's history: opens at the first line that was not seen, loads what is above and below page
// by page without moving what is read, and keeps the list short however long the page stays open.
(() => {
  const { room } = window;
  if (!room) return;
  const { timeline } = room, list = room.list(), lines = list.parentElement;
  const MOST = 300, KEPT = 200; // rows in the page; what is far away goes, and comes back by itself
  const NEAR = 800; // pixels from an end: the next page is asked for
  const button = document.getElementById("to-newest"), label = button.querySelector("span");
  const rows = () => [...list.querySelectorAll(":scope > .message")];
  const has = (way) => way in list.dataset;
  const set = (way, on) => (on ? (list.dataset[way] = "") : delete list.dataset[way]);
  const own = new WeakSet(); // rows that were asked for here; all others are news
  let missed = 0, loading = false, anchor = null, atEnd = true;

  // --- nothing moves: the first line in sight stays where it is, whatever comes or goes around it.
  // (The timeline is laid out upside down, so its end is scrollTop 0 and it counts downwards.)
  const top = (row) => row.getBoundingClientRect().top;
  const note = () => {
    atEnd = timeline.scrollTop > -60;
    const edge = timeline.getBoundingClientRect().top;
    const row = rows().find((one) => one.getBoundingClientRect().bottom > edge);
    anchor = row ? { row, at: top(row) } : null;
  };
  const hold = () => {
    if (anchor?.row.isConnected && !atEnd) timeline.scrollTop += top(anchor.row) - anchor.at;
  };
  const change = (act) => {
    note();
    act();
    hold();
    note();
  };

  // --- the ways on: links without this script, here they are followed by scrolling
  const ways = () => {
    for (const way of ["earlier", "later"]) {
      let place = lines.querySelector(`[data-way="${way}"]`);
      if (has(way) && !place) {
        place = Object.assign(document.createElement("p"), { className: "talk-way" });
        place.dataset.way = way;
        way === "earlier" ? lines.prepend(place) : list.after(place);
      }
      if (place) place.hidden = !has(way);
    }
    lines.querySelector(".unread-way")?.remove();
    const later = has("later");
    button.hidden = !later && (atEnd || (!missed && timeline.scrollTop > -600));
    label.textContent = missed ? label.dataset.new.replace("{n}", missed) : label.dataset.words;
    document.body.classList.toggle("is-back", later);
  };
  const ask = async (query) => {
    const answer = await fetch(`${room.path}/lines?${query}`).catch(() => null);
    if (!answer?.ok) return null;
    const page = document.createElement("template");
    page.innerHTML = await answer.text();
    return page.content.querySelector("ol");
  };
  const load = async (way) => {
    if (loading || !has(way)) return;
    loading = true;
    const all = rows(), end = way === "earlier" ? all[0] : all.at(-1);
    const page = end && await ask(`${way === "earlier" ? "before" : "after"}=${end.dataset.born}`);
    if (page && end.isConnected) {
      const found = [...page.querySelectorAll(":scope > .message")].filter((row) => !document.getElementById(row.id));
      for (const row of found) own.add(row);
      change(() => (way === "earlier" ? list.prepend(...found) : end.after(...found)));
      set(way, way in page.dataset);
      // What came meanwhile was not shown: there is more below than that page knew of.
      if (way === "later" && Number(page.dataset.version) < Number(list.dataset.version)) set(way, true);
      htmx.process(list);
      trim(way === "earlier" ? "later" : "earlier");
    }
    ways();
    loading = false;
    if (page) setTimeout(look, 100);
  };
  // Far from what is read, at the other end of where one goes.
  const trim = (way) => {
    const all = rows();
    if (all.length <= MOST) return;
    const gone = way === "earlier" ? all.slice(0, all.length - KEPT) : all.slice(KEPT);
    change(() => gone.forEach((row) => row.remove()));
    if (way === "earlier") list.querySelectorAll(":scope > .unread-line:first-child").forEach((line) => line.remove());
    set(way, true);
  };
  const scrolls = () => getComputedStyle(timeline).overflowY !== "visible"; // not on a low screen
  let looking = 0;
  const look = () => {
    looking = 0;
    note();
    if (!scrolls()) return ways();
    const above = timeline.scrollHeight - timeline.clientHeight + timeline.scrollTop;
    if (above < NEAR) load("earlier");
    if (timeline.scrollTop > -NEAR) load("later");
    if (atEnd && !has("later")) missed = 0;
    ways();
  };

  // --- news
  new MutationObserver((changes) => {
    const fresh = changes.flatMap(({ addedNodes }) => [...addedNodes]).filter((row) => row.matches?.(".message") && row.isConnected && !own.has(row));
    if (!fresh.length) return;
    for (const row of fresh) own.add(row);
    if (has("later")) fresh.forEach((row) => row.remove()); // they stand below what is loaded
    if (has("later") || !atEnd) missed += fresh.filter((row) => row.matches(".theirs")).length;
    hold();
    if (atEnd) trim("earlier");
    note();
    ways();
  }).observe(list, { childList: true });
  list.addEventListener("live:reset", () => {
    set("later", false);
    set("earlier", true);
    missed = 0;
    timeline.scrollTop = 0;
    note();
    setTimeout(ways);
  });

  // --- which of one's own lines all others have read
  const seen = () => Number(live.region(`${room.topic.replace("/room/", "/seen/")}`)?.dataset.upTo ?? 0);
  const mark = () => {
    const upTo = seen();
    for (const row of list.querySelectorAll(":scope > .mine")) row.classList.toggle("is-seen", Number(row.dataset.born) <= upTo);
  };
  new MutationObserver(mark).observe(list.closest(".room-talk"), { childList: true, subtree: true, attributeFilter: ["data-up-to"] });

  // --- going there
  const newest = async () => {
    if (has("later")) await room.pull(true);
    timeline.scrollTop = 0;
    missed = 0;
    look();
  };
  button.firstElementChild.addEventListener("click", newest);
  document.addEventListener("room:said", newest);
  const show = (row) => {
    row.scrollIntoView({ block: "center" });
    row.classList.add("is-shown");
    setTimeout(() => row.classList.remove("is-shown"), 2500);
    look();
  };
  document.addEventListener("click", (event) => {
    const way = event.target.closest?.("[data-way] a")?.parentElement.dataset.way;
    if (way && !event.target.closest("a + a")) {
      event.preventDefault();
      return load(way);
    }
    const quoted = event.target.closest?.("a.quoted[data-message]");
    const row = quoted && document.getElementById(`message-${quoted.dataset.message}`);
    if (!row) return; // not in the page: the link leads there
    event.preventDefault();
    show(row);
  });

  for (const row of rows()) own.add(row);
  mark();
  const wanted = location.hash && document.getElementById(location.hash.slice(1));
  const unread = list.querySelector(".unread-line");
  if (wanted && list.contains(wanted)) show(wanted);
  else if (unread) timeline.scrollTop += top(unread) - timeline.getBoundingClientRect().top - 16;
  look();
  timeline.addEventListener("scroll", () => (looking ||= requestAnimationFrame(look)), { passive: true });
})();
