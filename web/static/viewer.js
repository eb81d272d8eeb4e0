// Photos large, over the page: one after the other, by the arrow keys or the buttons. A photo is an
// a.shot that leads to its large copy; those of one list or gallery belong together.
(() => {
  const over = document.body.appendChild(document.createElement("dialog"));
  over.className = "over-room is-viewer";
  const view = (shots, at) => {
    const shot = shots[at];
    const image = Object.assign(document.createElement("img"), { src: shot.href, alt: shot.querySelector("img").alt });
    const button = (text, title, act) => {
      const made = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: text, title });
      made.addEventListener("click", act);
      return made;
    };
    const step = (by) => () => shots[at + by] && view(shots, at + by);
    const acts = Object.assign(document.createElement("p"), { className: "viewer-acts" });
    acts.append(button("‹", "The one before", step(-1)), button("Close", "", () => over.close()), button("›", "The next", step(1)));
    acts.firstChild.disabled = at === 0;
    acts.lastChild.disabled = at === shots.length - 1;
    over.replaceChildren(image, acts);
    over.onkeydown = ({ key }) => ({ ArrowLeft: step(-1), ArrowRight: step(1) })[key]?.();
    if (!over.open) over.showModal();
    acts.children[1].focus();
  };
  over.addEventListener("close", () => {
    over.onkeydown = null;
    over.replaceChildren();
  });
  document.addEventListener("click", (event) => {
    const shot = event.target.closest?.("a.shot");
    if (!shot || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const shots = [...(shot.closest("[data-room], .gallery") ?? document).querySelectorAll("a.shot")];
    view(shots, shots.indexOf(shot));
  });
})();
