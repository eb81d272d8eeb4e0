// "Copy" beside an address; without this file the text is there to be marked.
(() => {
  for (const button of document.querySelectorAll("[data-copies]")) {
    const words = button.querySelector("span");
    const box = document.getElementById(button.dataset.copies);
    if (!navigator.clipboard || !box) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      box.select();
      try {
        await navigator.clipboard.writeText(box.value);
        words.textContent = "Copied";
      } catch {
        words.textContent = "Marked: copy it now";
      }
    });
  }
})();
