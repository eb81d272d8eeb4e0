// How far it is: cards are the same for all, with the cell in which a tool is; what that cell is to
// this viewer stands in the page, beside them, and is put into each card, also when it comes anew.
(() => {
  const fill = () => {
    for (const list of document.querySelectorAll("[data-far]")) {
      const far = JSON.parse(list.dataset.far);
      for (const place of list.querySelectorAll("[data-cell]")) {
        const words = far[place.dataset.cell] ?? "", said = place.querySelector(".far");
        if (said.textContent !== words) said.textContent = words;
        if (words && place.hidden) place.hidden = false;
      }
    }
  };
  new MutationObserver(fill).observe(document.body, { childList: true, subtree: true, attributeFilter: ["data-cell", "data-far", "hidden"] });
  fill();
})();
