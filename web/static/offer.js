// Countdowns ([data-until]) that stand still at night ([data-nights]: start/end pairs). The page says
// what time it is at the server; from there on only the time that has gone by counts. It ticks while
// there is something to count, and looks again when the page has changed.
(() => {
  const began = performance.now(), then = Number(document.body.dataset.now);
  const now = () => then + performance.now() - began;
  const tell = (line) => {
    const until = Date.parse(line.dataset.until), at = now();
    const nights = line.dataset.nights.split(" ").filter(Boolean).map((pair) => pair.split("/").map(Date.parse));
    const still = nights.some(([start, end]) => start <= at && at < end);
    const slept = nights.reduce((sum, [start, end]) => sum + Math.max(0, Math.min(end, until) - Math.max(start, at)), 0);
    const left = Math.max(0, Math.ceil((until - at - slept) / 1000));
    const [hours, minutes, seconds] = [left / 3600, (left / 60) % 60, left % 60].map(Math.floor);
    const two = (n) => String(n).padStart(2, "0");
    const words = `, ${hours}:${two(minutes)}:${two(seconds)} left${still ? ", resting until the morning" : ""}`;
    if (line.textContent !== words) line.textContent = words;
    return left > 0;
  };
  let ticking = 0;
  const all = () => {
    clearTimeout(ticking);
    const counts = [...document.querySelectorAll("[data-nights]")].map(tell).some(Boolean);
    ticking = counts ? setTimeout(all, 1000) : 0;
  };
  new MutationObserver(all).observe(document.body, { childList: true, subtree: true });
  all();
})();
