// Rows put in order by a grip, with finger, pen or mouse; for who has none of them there are buttons.
(() => {
  let moving = null, before = "";
  const rows = () => [...moving.parentElement.children];
  const order = () => rows().map((row) => row.id || row.dataset.photo).join();
  document.addEventListener("pointerdown", (event) => {
    const row = event.target.closest?.("[data-grip]")?.closest("li");
    if (!row || event.button) return;
    event.preventDefault();
    moving = row;
    before = order();
    moving.classList.add("is-moving");
    moving.parentElement.setPointerCapture(event.pointerId); // of the list: a row that moves loses it
  });
  document.addEventListener("pointermove", ({ clientX, clientY }) => {
    const over = moving && document.elementFromPoint(clientX, clientY)?.closest("li");
    if (!over || over === moving || over.parentElement !== moving.parentElement) return;
    over[rows().indexOf(over) > rows().indexOf(moving) ? "after" : "before"](moving);
  });
  const settle = () => {
    if (!moving) return;
    moving.classList.remove("is-moving");
    if (order() !== before) moving.parentElement.dispatchEvent(new Event("sorted", { bubbles: true }));
    moving = null;
  };
  for (const what of ["pointerup", "pointercancel"]) document.addEventListener(what, settle);
})();
