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

  // A question: show the explanation of each option that was chosen. Nothing
  // is kept, and a new choice clears the last answer.
  const letter = (index) => String.fromCharCode(65 + index);
  const paragraph = (text) => {
    const node = document.createElement("p");
    node.textContent = text;
    return node;
  };

  for (const question of document.querySelectorAll(".attn-question")) {
    const inputs = [...question.querySelectorAll(".attn-options input")];
    const answers = [...question.querySelectorAll(".attn-answers > li")];
    const bar = question.querySelector(".attn-check");
    const result = bar.querySelector(".attn-result");
    const isRight = (index) => answers[index].matches(".attn-right");

    const explain = (index) => {
      const box = document.createElement("div");
      box.className = `attn-answer ${answers[index].className}`;
      const name = document.createElement("span");
      name.textContent = `${letter(index)}: `;
      box.append(...answers[index].cloneNode(true).childNodes);
      // A copy must neither repeat an id nor hold a button that is dead.
      for (const one of box.querySelectorAll("[id]")) one.removeAttribute("id");
      for (const one of box.querySelectorAll("button")) one.remove();
      (box.querySelector("p") ?? box).prepend(name);
      return box;
    };
    const check = () => {
      const chosen = inputs.flatMap((one, i) => (one.checked ? [i] : []));
      if (!chosen.length) {
        result.replaceChildren(paragraph("Choose an answer first."));
        return;
      }
      const shown = chosen.map(explain);
      if (inputs[0].type === "checkbox") {
        const all = inputs.every((one, i) => one.checked === isRight(i));
        const wrong = chosen.some((i) => !isRight(i));
        const text = all
          ? "All right, and nothing is missing."
          : wrong
            ? "Not all of these are right. Try again."
            : "Right so far, but something is missing.";
        shown.unshift(paragraph(text));
      }
      result.replaceChildren(...shown);
    };
    bar.querySelector("button").addEventListener("click", check);
    for (const input of inputs) {
      input.hidden = false;
      input.addEventListener("change", () => result.replaceChildren());
    }
    bar.hidden = false;
    question.classList.add("attn-awake");
  }
})();
