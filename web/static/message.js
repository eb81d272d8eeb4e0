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
  // --- the viewer: one photo after the other, with the arrow keys or by swiping past them
  const view = (shot) => {
    const shots = [...room.list().querySelectorAll("a.shot")], at = shots.indexOf(shot);
    const image = Object.assign(document.createElement("img"), { src: shot.href, alt: shot.querySelector("img").alt });
    const button = (text, title, act) => {
      const made = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: text, title });
      made.addEventListener("click", act);
      return made;
    };
    const step = (by) => () => shots[at + by] && view(shots[at + by]);
    const acts = Object.assign(document.createElement("p"), { className: "viewer-acts" });
    acts.append(button("‹", "The one before", step(-1)), button("Close", "", () => over.close()), button("›", "The next", step(1)));
    acts.firstChild.disabled = at === 0;
    acts.lastChild.disabled = at === shots.length - 1;
    over.replaceChildren(image, acts);
    over.classList.add("is-viewer");
    over.onkeydown = ({ key }) => ({ ArrowLeft: step(-1), ArrowRight: step(1) })[key]?.();
    if (!over.open) over.showModal();
    acts.children[1].focus();
  };
  over.addEventListener("close", () => {
    over.classList.remove("is-viewer");
    over.onkeydown = null;
    over.replaceChildren();
  });
  document.addEventListener("click", (event) => {
    const shot = event.target.closest?.("a.shot");
    if (!shot || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    view(shot);
  });

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
