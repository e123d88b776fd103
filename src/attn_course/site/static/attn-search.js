(() => {
  // Search: the texts are loaded when a reader first asks. See search.py.
  const root = document.documentElement.dataset.content_root;
  const here = document.currentScript.src;
  const MOST = 40;
  let pages;
  let waiting;

  const load = () => {
    waiting ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      window.attnSearch = (found) => {
        pages = found;
        done(found);
      };
      script.src = here.replace(/attn-search\.js.*/, "attn-search-text.js");
      script.onerror = failed;
      document.head.append(script);
    });
    return waiting;
  };

  /** A pattern for each word; the last one may be unfinished. */
  const patterns = (query) =>
    (query.match(/[\p{L}\p{N}_√]+/gu) ?? []).map(
      (word) => new RegExp(`(?<![\\p{L}\\p{N}])${word}`, "giu"),
    );

  const times = (text, pattern) => text.match(pattern)?.length ?? 0;

  const find = (query) => {
    const words = patterns(query);
    if (!words.length) return [];
    const hits = [];
    for (const [address, title, sections] of pages) {
      for (const [id, heading, text] of sections) {
        let score = 0;
        const fits = words.every((word) => {
          const inHeading = times(heading, word);
          const inText = times(text, word);
          score += 12 * Math.min(inHeading, 1) + Math.min(inText, 4);
          return inHeading || inText;
        });
        if (!fits) continue;
        if (words.every((word) => times(title, word))) score += 6;
        if (/^book\/\d/.test(address)) score += 6; // a lesson
        hits.push({ address, title, id, heading, text, score });
      }
    }
    return hits.sort((a, b) => b.score - a.score);
  };

  /** Write a text with the words found in it marked. */
  const marked = (node, text, words) => {
    const found = words.flatMap((word) => [...text.matchAll(word)]);
    found.sort((a, b) => a.index - b.index);
    let end = 0;
    for (const { index, 0: match } of found) {
      if (index < end) continue;
      const mark = document.createElement("mark");
      mark.textContent = match;
      node.append(text.slice(end, index), mark);
      end = index + match.length;
    }
    node.append(text.slice(end));
    return node;
  };

  const excerpt = (text, words) => {
    const places = words.map((word) => text.search(word));
    const first = Math.min(...places.filter((at) => at >= 0), Infinity);
    if (first === Infinity) return excerpt(text, [/^/]);
    const from = first < 60 ? 0 : text.indexOf(" ", first - 60) + 1;
    const to = text.indexOf(" ", from + 180);
    const cut = to < 0 ? text.slice(from) : `${text.slice(from, to)} …`;
    return from ? `… ${cut}` : cut;
  };

  const element = (name, className, text = "") =>
    Object.assign(document.createElement(name), {
      className,
      textContent: text,
    });

  const item = (hit, words) => {
    const li = element("li", "");
    const link = element("a", "");
    link.href = `${root}${hit.address}#${hit.id}`;
    marked(link, hit.heading, words);
    li.append(link);
    if (hit.heading !== hit.title)
      li.append(element("span", "attn-from", hit.title));
    li.append(marked(element("p", ""), excerpt(hit.text, words), words));
    return li;
  };

  const show = async (query, place) => {
    try {
      await load();
    } catch {
      place.textContent = "The texts to search in could not be loaded.";
      return;
    }
    const hits = find(query);
    const count = hits.length === 1 ? "1 section" : `${hits.length} sections`;
    const note = element("p", "attn-count", query.trim() ? count : "");
    note.setAttribute("role", "status");
    const list = element("ul", "search");
    list.append(...hits.slice(0, MOST).map((h) => item(h, patterns(query))));
    place.replaceChildren(note, list);
  };

  for (const form of document.querySelectorAll("form.bd-search")) {
    const field = form.elements.q;
    let place = form.parentElement.querySelector("#search-results");
    if (!place) {
      place = element("div", "attn-results");
      form.after(place);
    }
    const update = () => show(field.value, place);
    field.addEventListener("focus", () => load().catch(() => {}));
    field.addEventListener("input", update);
    if (!form.closest("dialog")) {
      field.value = new URLSearchParams(location.search).get("q") ?? "";
      field.focus();
      update();
    }
  }
})();
