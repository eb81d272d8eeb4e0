// What the scripts of a room share, and the telling of what has been on the screen.
(() => {
  const list = () => document.querySelector("[data-room]");
  if (!list()) return;
  const { room, topic } = list().dataset;

  // Asks for what is new, where no push can bring it; `whole`: for the newest page instead.
  const pull = async (whole = false) => {
    const had = whole ? "" : `&version=${list().dataset.version}`;
    const answer = await fetch(`/live?topic=${encodeURIComponent(topic)}${had}`).catch(() => null);
    if (answer?.status !== 200) return;
    const frame = await answer.json();
    await window.live.inTurn(() => window.live.apply(frame));
  };
  // An act of the loan writes a line here; its answer brings the loan only.
  document.addEventListener("htmx:after:request", () => pull());

  // The last line that has been in sight; the room's own version once nothing newer is below.
  const timeline = document.getElementById("timeline");
  const shown = () => {
    const edge = Math.min(innerHeight, timeline.getBoundingClientRect().bottom);
    const rows = [...list().querySelectorAll(".message")];
    const last = rows.findLast((row) => row.getBoundingClientRect().top + 8 < edge);
    if (!last) return 0;
    const newest = last === rows.at(-1) && !("later" in list().dataset);
    return Number(newest ? list().dataset.version : last.dataset.born);
  };
  let told = 0, waiting = 0;
  const tell = async () => {
    waiting = 0;
    const seen = document.hidden ? 0 : shown();
    if (seen <= told) return;
    const answer = await fetch(`${room}/seen`, { method: "POST", body: new URLSearchParams({ up_to: seen }) }).catch(() => null);
    if (answer?.ok) told = seen;
  };
  const soon = () => (waiting ||= setTimeout(tell, 300));
  new MutationObserver(soon).observe(timeline, { attributes: true, childList: true, subtree: true, attributeFilter: ["data-version"] });
  document.addEventListener("visibilitychange", soon);
  document.addEventListener("scroll", soon, { capture: true, passive: true });
  document.addEventListener("live:drawn", soon);
  soon();

  // "May answer late": by the server's clock, whatever the phone's says.
  const late = document.querySelector("[data-late-from]"), ahead = Date.now() - Number(document.body.dataset.now);
  const isLate = () => {
    const now = (Date.now() - ahead) / 1000;
    late.hidden = now < Number(late.dataset.lateFrom) || now >= Number(late.dataset.lateUntil);
  };
  if (late) setInterval(isLate, 30000);

  // What a line answers: {id, name, line}, as it stands in the box, and as an outbox keeps it.
  const quote = ({ id, name, line }) => {
    const made = Object.assign(document.createElement("a"), { className: "quoted", href: `#message-${id}` });
    made.dataset.message = id;
    made.append(Object.assign(document.createElement("b"), { textContent: name, dir: "auto" }), " ");
    made.append(Object.assign(document.createElement("span"), { textContent: line, dir: "auto" }));
    return made;
  };
  const quoted = (place) => {
    const made = place.querySelector("a.quoted");
    if (!made) return undefined;
    return { id: made.dataset.message, name: made.querySelector("b").textContent, line: made.querySelector("span").textContent };
  };
  const answer = (said) => {
    const place = document.getElementById("answering");
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "quotes", value: said.id });
    const away = Object.assign(document.createElement("button"), { type: "button", className: "dots", textContent: "×", title: place.dataset.away });
    place.replaceChildren(field, quote(said), away);
  };

  window.room = { quote, quoted, answer, list, path: room, topic, timeline, pull };
})();
