// Choosing dates on a tool's page: the grid fills the form's inputs in, what is chosen is held and
// counted by the server, and let go when the page closes. Without it the form alone does all that.
(() => {
  const page = document.querySelector(".tool[data-now]");
  if (!page) return;

  // --- countdowns: only the server's clock counts, so its present came with the page
  const ahead = Number(page.dataset.now) * 1000 - Date.now();
  const present = () => Date.now() + ahead;
  let ticking = 0;
  const tick = () => {
    clearTimeout(ticking);
    let most = 0;
    for (const el of document.querySelectorAll("time[data-until]")) {
      const left = Math.max(0, Math.round(Number(el.dataset.until) - present() / 1000));
      el.dataset.left = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left`;
      most = Math.max(most, left);
    }
    if (most) ticking = setTimeout(tick, 1000); // where nothing is held, nothing runs
  };
  tick();
  new MutationObserver(tick).observe(page, { subtree: true, childList: true, attributeFilter: ["data-until"] });

  // --- months: the buttons at their heads turn the page
  const turnTo = (month) => month?.parentElement.scrollTo({ left: month.offsetLeft - month.parentElement.offsetLeft, behavior: "auto" });
  page.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-turn]"), month = button?.closest(".month");
    if (!month) return;
    const other = Number(button.dataset.turn) < 0 ? month.previousElementSibling : month.nextElementSibling;
    turnTo(other);
    const same = other?.querySelector(`[data-turn="${button.dataset.turn}"]`);
    (same?.disabled ? other.querySelector("[data-turn]:enabled") : same)?.focus({ preventScroll: true });
  });

  const form = document.getElementById("request"), place = document.getElementById("choice");
  if (!form) return;
  const { start, end, start_time: from, end_time: until } = form.elements;
  const field = (day) => document.getElementById(`day-${day}`);

  // --- the grid: one cell takes the focus, arrows move it, Enter or Space chooses
  let at = "", picking = false;
  const free = (cell) => cell && cell.getAttribute("aria-disabled") !== "true";
  const mark = () => {
    const cells = [...page.querySelectorAll("[data-day]")];
    if (!field(at)) at = (start.value && field(start.value) ? start.value : cells.find(free)?.dataset.day) ?? "";
    const last = end.value || start.value;
    for (const cell of cells) {
      const { day } = cell.dataset, chosen = Boolean(start.value) && day >= start.value && day <= last;
      cell.tabIndex = day === at ? 0 : -1;
      cell.classList.toggle("is-chosen", chosen);
      cell.setAttribute("aria-selected", chosen);
    }
  };
  const go = (day) => {
    const cell = field(day);
    if (!cell) return;
    at = day;
    mark();
    turnTo(cell.closest(".month"));
    cell.focus({ preventScroll: true });
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const later = (day, days, months = 0) => {
    const [y, m, d] = day.split("-").map(Number);
    const month = new Date(Date.UTC(y, m - 1 + months, 1)), most = new Date(Date.UTC(y, m + months, 0)).getUTCDate();
    return new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth(), (months ? Math.min(d, most) : d) + days)).toISOString().slice(0, 10);
  };
  const weekday = (day) => (new Date(`${day}T00:00Z`).getUTCDay() + 6) % 7;
  const pick = (cell) => {
    if (!free(cell)) return;
    const { day } = cell.dataset;
    // The first press begins a choice of one day, a later day after it ends it.
    if (picking && day > start.value) [end.value, picking] = [day, false];
    else [start.value, end.value, picking] = [day, day, true];
    at = day;
    chosen();
  };
  page.addEventListener("click", ({ target }) => pick(target.closest("[data-day]")));
  page.addEventListener("keydown", (event) => {
    const day = event.target.dataset?.day;
    if (!day) return;
    const to = {
      ArrowLeft: () => later(day, -1), ArrowRight: () => later(day, 1),
      ArrowUp: () => later(day, -7), ArrowDown: () => later(day, 7),
      Home: () => later(day, -weekday(day)), End: () => later(day, 6 - weekday(day)),
      PageUp: () => later(day, 0, -1), PageDown: () => later(day, 0, 1),
    }[event.key];
    if (to) go(to());
    else if (event.key === "Enter" || event.key === " ") pick(event.target);
    else return;
    event.preventDefault();
  });
  // What the live engine puts in place of the grid knows nothing of the choice.
  const redrawn = () => (mark(), inTime());
  new MutationObserver(redrawn).observe(page, { subtree: true, childList: true, attributeFilter: ["data-version"] });

  // --- quick choices: they come with the grid, and the clock says which of them still make sense
  const quarter = 15 * 60_000;
  const said = new Intl.DateTimeFormat("sv-SE", { timeZone: page.dataset.zone, dateStyle: "short", timeStyle: "short" });
  const dated = ({ hours, start: first, end: last, startTime = "", endTime = "" }) => {
    if (!hours) return [first, last, startTime, endTime];
    const begins = Math.ceil(present() / quarter) * quarter;
    const [[d1, t1], [d2, t2]] = [begins, begins + hours * 3_600_000].map((at) => said.format(at).split(" "));
    return [d1, d2, t1, t2];
  };
  let looks = 0;
  const inTime = () => {
    clearTimeout(looks);
    const seconds = present() / 1000;
    let next = Infinity;
    for (const link of page.querySelectorAll(".quick [data-possible]")) {
      const spans = link.dataset.possible.split(" ").map((span) => span.split("/").map(Number));
      if (spans.some(([begins, ends]) => begins <= seconds && seconds < ends)) link.removeAttribute("aria-disabled");
      else link.setAttribute("aria-disabled", "true");
      next = Math.min(next, ...spans.flat().filter((at) => at > seconds));
    }
    // What has slept looks again soon.
    if (next < Infinity) looks = setTimeout(inTime, Math.min(next - seconds, 60) * 1000 + 1);
  };
  inTime();
  document.addEventListener("visibilitychange", () => document.hidden || (tick(), inTime()));
  page.addEventListener("click", (event) => {
    const link = event.target.closest(".quick a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.hasAttribute("aria-disabled")) return;
    [start.value, end.value, from.value, until.value] = dated(link.dataset);
    if (from.value) from.closest("details").open = true;
    picking = false;
    at = start.value;
    turnTo(field(at)?.closest(".month"));
    chosen();
  });

  // --- what is chosen: held and counted
  let held = start.value ? place.querySelector("[data-held]")?.dataset.held : "";
  let asked = 0, waiting = 0;
  const hold = async () => {
    const mine = ++asked, typed = new URLSearchParams();
    for (const one of [start, end, from, until]) typed.set(one.name, one.value);
    const answer = await fetch(form.action.replace(/loans$/, "hold"), { method: "POST", body: typed, headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok || mine !== asked) return;
    place.innerHTML = await answer.text();
    held = place.querySelector("[data-held]")?.dataset.held ?? "";
    tick();
  };
  const chosen = () => {
    mark();
    clearTimeout(waiting);
    if (start.value && end.value) waiting = setTimeout(hold, 250);
  };
  for (const one of [start, end, from, until]) one.addEventListener("change", () => {
    if (one === start && end.value < start.value) end.value = start.value;
    chosen();
  });

  // --- the page closes: what it held is free at once, but not for whoever asks just now
  const letGo = () => {
    if (held) navigator.sendBeacon(form.action.replace(/loans$/, "hold/end"), new URLSearchParams({ held }));
    held = "";
  };
  for (const one of document.querySelectorAll("#request, #let-go")) one.addEventListener("submit", () => (held = ""));
  window.addEventListener("pagehide", letGo);
  window.addEventListener("pageshow", ({ persisted }) => persisted && start.value && hold());
  mark();
})();
