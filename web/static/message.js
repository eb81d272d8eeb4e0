// What can be done with a message: its own page, opened over the room.
(() => {
  const { room } = window;
  if (!room) return;
  const over = document.body.appendChild(document.createElement("dialog"));
  over.className = "over-room";
  const answering = document.getElementById("answering"), box = document.getElementById("body");

  const opened = async (href) => {
    const answer = await fetch(href).catch(() => null);
    const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    const acts = page && page.getElementById("message-acts");
    if (!acts) return location.assign(href);
    const close = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Close" });
    close.addEventListener("click", () => over.close());
    over.replaceChildren(document.adoptNode(acts), close);
    over.showModal();
  };
  const answers = (id) => {
    const row = document.getElementById(`message-${id}`);
    if (!row) return false;
    const name = row.querySelector(".by").textContent, line = row.querySelector(".body")?.textContent ?? "A photo";
    room.answer({ id, name, line: line.split("\n")[0].slice(0, 80) });
    over.close();
    box.focus();
    return true;
  };

  document.addEventListener("click", (event) => {
    const { target } = event, plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
    const more = plain && target.closest?.("a.of-message"), reply = target.closest?.("[data-answer]");
    if (more) opened(more.href);
    else if (reply ? !answers(reply.dataset.answer) : !target.closest?.("#answering .dots")) return;
    else if (!reply) answering.replaceChildren();
    event.preventDefault();
  });
  over.addEventListener("close", () => over.replaceChildren());

  over.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target, body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) {
      over.close();
      return room.pull();
    }
    const problem = (await answer?.json().catch(() => null)) ?? {};
    const place = form.querySelector(".error") ?? form.appendChild(Object.assign(document.createElement("p"), { className: "error" }));
    place.setAttribute("role", "alert");
    place.textContent = [problem.detail ?? document.getElementById("composer").dataset.wordsOffline, problem.way_out].filter(Boolean).join(" ");
  });
})();
