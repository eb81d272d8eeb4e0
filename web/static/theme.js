// The theme switch: system, light or dark. The choice is a cookie, so that the server draws the
// next page right at once; without this file the same form posts and the page comes back.
(() => {
  const root = document.documentElement;

  const chosen = () => root.dataset.theme ?? "system";

  const mark = () => {
    for (const button of document.querySelectorAll("form.theme button")) {
      button.setAttribute("aria-pressed", String(button.value === chosen()));
    }
    const wall = getComputedStyle(document.body).backgroundColor;
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
      meta.content = wall;
    }
  };

  const choose = (theme) => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    mark();
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.theme")) return;
    event.preventDefault();
    choose(event.submitter?.value ?? "system");
  });

  mark();
})();
