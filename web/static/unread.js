// How many messages one has not seen, in the tab's title and on the app's icon.
(() => {
  const title = document.title, place = () => document.getElementById("nav-unread");
  const tell = () => {
    const badge = place()?.querySelector(".badge-count:not([hidden])");
    const count = badge ? badge.firstChild.textContent.trim() : "";
    document.title = count ? `(${count}) ${title}` : title;
    const shown = navigator.setAppBadge && (count ? navigator.setAppBadge(parseInt(count, 10)) : navigator.clearAppBadge());
    shown?.catch(() => {}); // only an installed app has an icon
  };
  const region = place()?.parentElement;
  if (!region) return;
  new MutationObserver(tell).observe(region, { childList: true, subtree: true, characterData: true, attributes: true });
  tell();
})();
