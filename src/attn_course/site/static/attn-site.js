(() => {
  // What the theme writes into onclick attributes, bound from a script: the
  // site's security policy refuses handlers inside the HTML.
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

  // A wide table or formula scrolls in its own box: let the keyboard in. The
  // theme does the same for code.
  const boxes = document.querySelectorAll(
    ".bd-article table, .bd-article div.math",
  );
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const box of boxes) sizes.observe(box);
})();
