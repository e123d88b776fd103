// What the theme writes into onclick attributes, bound from a script: the
// site's security policy refuses handlers inside the HTML.
(() => {
  const actions = {
    print: () => window.print(),
    fullscreen: () =>
      document.fullscreenElement
        ? document.exitFullscreen()
        : document.documentElement.requestFullscreen().catch(() => {}),
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-attn-action]");
    if (button) actions[button.dataset.attnAction]?.();
  });
})();
