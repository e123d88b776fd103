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

  // A menu closes when something else, or one of its entries, is chosen. The
  // theme's buttons let nobody hear of a click after them.
  const closeMenus = ({ target }) => {
    for (const menu of document.querySelectorAll(".attn-menu[open]"))
      if (target.closest?.("summary")?.parentElement !== menu)
        menu.open = false;
  };
  document.addEventListener("click", closeMenus, true);
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.(".attn-menu[open]");
    if (event.key !== "Escape" || !menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // The cell that reported a claim may be gone: the ledger still has it.
  const openClaim = () => {
    const name = location.hash.slice(1);
    const claim = /^claim-(\d+-.*?)(?:-\d+)?$/.exec(name)?.[1];
    const root = document.documentElement.dataset.content_root;
    if (claim && !document.getElementById(name))
      location.replace(`${root}book/claims.html#ledger-${claim}`);
  };
  window.addEventListener("hashchange", openClaim);
  openClaim();

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

  // The ledger: show the claims of one chapter, or with one verdict.
  const filter = document.querySelector("form.attn-filter");
  const choose = () => {
    const { chapter, verdict } = filter.elements;
    let shown = 0;
    for (const section of document.querySelectorAll("section.attn-claims")) {
      const here = !chapter.value || section.id === `section-${chapter.value}`;
      let some = 0;
      for (const card of section.querySelectorAll(".attn-ledger > li")) {
        const fits = !verdict.value || card.classList.contains(verdict.value);
        card.hidden = !(here && fits);
        some += !card.hidden;
      }
      section.hidden = some === 0;
      shown += some;
    }
    filter.querySelector("output").textContent = `${shown} claims`;
  };
  const chooseByLink = () => {
    const option = document.getElementById(location.hash.slice(1));
    if (filter.contains(option)) {
      filter.reset();
      option.selected = true;
      filter.scrollIntoView();
    }
    choose();
  };
  if (filter) {
    filter.hidden = false;
    filter.addEventListener("change", choose);
    window.addEventListener("hashchange", chooseByLink);
    chooseByLink();
  }
})();
