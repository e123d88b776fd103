(() => {
  // Numbers tell how they were made, terms what they mean. Without this
  // script, or the browser's popovers, they are links.
  const data = document.getElementById("attn-notes");
  if (!data || !("popover" in HTMLElement.prototype)) return;
  const notes = JSON.parse(data.textContent);

  const html = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
      node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const link = (href, text) => html("a", { href }, text);
  const list = (facts) =>
    html(
      "dl",
      {},
      ...facts.flatMap(([name, text]) => [
        html("dt", {}, name),
        html("dd", {}, text),
      ]),
    );

  function ofNumber(mark) {
    const { claim, label, full, source } = mark.dataset;
    const { title, facts, link: kind } = notes.sources[source];
    const anchor = `ledger-${claim.replaceAll(".", "-")}`;
    return [
      html("p", { class: "attn-title" }, full || mark.textContent),
      html("p", {}, label),
      html("p", { class: "attn-hint" }, title),
      list(facts),
      html(
        "p",
        { class: "attn-links" },
        link(mark.href, kind),
        link(`${notes.ledger}#${anchor}`, "The claim it tests"),
      ),
    ];
  }

  function ofTerm(mark) {
    const [term, meaning, where, href] = notes.terms[mark.dataset.term];
    return [
      html("p", { class: "attn-title" }, term),
      html("p", {}, meaning),
      html(
        "p",
        { class: "attn-links" },
        link(mark.href, "In the glossary"),
        ...(href ? [link(href, where)] : []),
      ),
    ];
  }

  const pop = html("div", {
    id: "attn-pop",
    popover: "auto",
    role: "dialog",
    tabindex: "-1",
  });
  document.querySelector(".bd-article")?.append(pop);
  let opener = null;

  /** Below the mark where there is room, and inside the page. */
  const place = (mark) => {
    const [line] = mark.getClientRects();
    const { offsetWidth: width, offsetHeight: height } = pop;
    const room = document.documentElement.clientWidth - width - 8;
    const left = Math.max(8, Math.min(line.left, room));
    const below = line.bottom + 6;
    const above = line.top - height - 6;
    const fits = below + height <= window.innerHeight || above < 0;
    pop.style.left = `${left + window.scrollX}px`;
    pop.style.top = `${(fits ? below : above) + window.scrollY}px`;
  };
  const open = (mark) => {
    const isNumber = mark.matches(".attn-claim");
    pop.replaceChildren(...(isNumber ? ofNumber(mark) : ofTerm(mark)));
    pop.setAttribute("aria-label", pop.firstChild.textContent);
    opener = mark;
    pop.showPopover();
    place(mark);
    pop.focus({ preventScroll: true });
  };

  pop.addEventListener("beforetoggle", (event) => {
    const opens = event.newState === "open";
    opener?.setAttribute("aria-expanded", String(opens));
  });
  // The theme keeps Escape from what it closes by itself; and whoever tabs on
  // goes on reading after the mark, not after the page.
  pop.addEventListener("keydown", (event) => {
    if (event.key === "Escape") pop.hidePopover();
    if (event.key !== "Tab") return;
    const links = [...pop.querySelectorAll("a")];
    const end = event.shiftKey ? [links[0], pop] : [links.at(-1)];
    if (!end.includes(document.activeElement)) return;
    pop.hidePopover();
    opener.focus();
    if (event.shiftKey) event.preventDefault();
  });

  const marks = [
    ...document.querySelectorAll("a.attn-claim[data-source], a.attn-term"),
  ];
  for (const mark of marks) {
    mark.removeAttribute("title");
    mark.setAttribute("aria-haspopup", "dialog");
    mark.setAttribute("aria-expanded", "false");
    // A press closes what is open before the click comes.
    let wasOpen = false;
    mark.addEventListener("pointerdown", () => {
      wasOpen = opener === mark && pop.matches(":popover-open");
    });
    mark.addEventListener("click", (event) => {
      const elsewhere =
        event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
      if (elsewhere) return;
      event.preventDefault();
      if (!wasOpen) open(mark);
      wasOpen = false;
    });
  }
})();
