// "Print" beside the labels; without this file the browser's own menu does it.
(() => {
  for (const button of document.querySelectorAll("[data-prints]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
})();
