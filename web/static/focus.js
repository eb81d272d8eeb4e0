// The focus is never lost: when what had it goes in a swap, the nearest thing around it that is
// still there takes it, and Tab goes on from there. Who clicks elsewhere leaves of their own accord.
(() => {
  let at = null, around = []; // what has the focus, and the ids of what it is in
  document.addEventListener("focusin", ({ target }) => {
    at = target;
    around = [];
    for (let up = at.closest("[id]"); up; up = up.parentElement?.closest("[id]")) around.push(up.id);
  });
  document.addEventListener("pointerdown", () => (at = null));
  const shown = (el) => el.isConnected && (el.checkVisibility?.() ?? true);
  const takes = (el) => el.hasAttribute("tabindex") || (el.tabIndex >= 0 && !el.disabled);
  const look = () => {
    if (!at || document.activeElement !== document.body || !document.hasFocus()) return;
    if (shown(at) && takes(at)) return;
    const left = around.map((id) => document.getElementById(id)).find((el) => el && shown(el));
    if (!left) return;
    if (!takes(left)) left.tabIndex = -1;
    left.focus({ preventScroll: true });
  };
  const seen = { subtree: true, childList: true, attributeFilter: ["hidden", "open", "disabled", "tabindex"] };
  new MutationObserver(() => requestAnimationFrame(look)).observe(document.body, seen);
})();
