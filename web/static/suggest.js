// As the name of a new tool is typed: where it may hang and what may come with it. Only suggested.
(() => {
  const name = document.getElementById("name"), form = name?.form;
  const place = () => document.getElementById("suggestion");
  if (!place()) return;
  const { category, parts } = form.elements;
  const offer = () => {
    const line = place().querySelector("[data-category]"), button = line?.querySelector("button");
    if (!line) return;
    const taken = category.value && (parts.value.trim() || !line.dataset.parts);
    line.hidden = Boolean(taken);
    button.hidden = false;
    button.addEventListener("click", () => {
      category.value ||= line.dataset.category;
      if (!parts.value.trim()) parts.value = line.dataset.parts;
      parts.closest("details").open = true; // so that one sees what was put there
      for (const field of [category, parts]) field.dispatchEvent(new Event("input", { bubbles: true }));
      line.hidden = true;
      category.focus();
    });
  };
  let asked = "";
  name.addEventListener("change", async () => {
    asked = name.value;
    const answer = await fetch(`${form.dataset.suggest}?name=${encodeURIComponent(asked)}`).catch(() => null);
    if (!answer?.ok) return;
    const text = await answer.text();
    if (asked !== name.value) return;
    place().replaceWith(new DOMParser().parseFromString(text, "text/html").getElementById("suggestion"));
    offer();
  });
  offer();
})();
