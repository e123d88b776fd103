(() => {
  // Commit, then see. A guess is kept on this device where storage is
  // allowed, and else for as long as the page is open.
  const kept = {
    get(key) {
      try {
        return JSON.parse(localStorage.getItem(`attn-guess:${key}`));
      } catch {
        return null;
      }
    },
    set(key, guess) {
      try {
        if (guess === null) localStorage.removeItem(`attn-guess:${key}`);
        else localStorage.setItem(`attn-guess:${key}`, JSON.stringify(guess));
      } catch {
        // Refused: then nothing is kept.
      }
    },
  };

  const SVG = "http://www.w3.org/2000/svg";
  const add = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes))
      if (value !== false) node.setAttribute(name, value === true ? "" : value);
    node.append(...children);
    return node;
  };
  const html = (tag, attributes = {}, ...children) =>
    add(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    add(document.createElementNS(SVG, tag), attributes, children);

  const written = (value, unit) => {
    const whole = Number.isInteger(value) || Math.abs(value) >= 1000;
    const digits = whole
      ? Math.round(value).toLocaleString("en-GB")
      : String(Number(value.toPrecision(3)));
    const text = digits.replace("-", "−");
    return unit === "%" ? `${text}%` : unit ? `${text} ${unit}` : text;
  };
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const letter = (index) => String.fromCharCode(65 + index);
  const isNumber = (value) => Number.isFinite(value);

  // --- Three kinds of guess ----------------------------------------------
  // Each gives: read(), null when nothing was chosen; write(guess), false
  // when the guess is none of its own; open(guess, words), which locks it
  // and shows it beside the truth; close(); crowd(), the hands of a class.

  function options(list) {
    const inputs = [...list.querySelectorAll("input")];
    const items = [...list.children];
    for (const input of inputs) input.hidden = false;
    return {
      missing: "Choose one first, or skip.",
      read() {
        const index = inputs.findIndex((input) => input.checked);
        return index < 0 ? null : index;
      },
      write(index) {
        if (!Number.isInteger(index) || !inputs[index]) return false;
        inputs[index].checked = true;
        return true;
      },
      open(guess) {
        items.forEach((item, index) => {
          inputs[index].disabled = true;
          const marks = [
            index === guess && ["yours", "Your guess"],
            item.dataset.right && ["truth", "✓ The answer"],
          ];
          for (const [name, text] of marks.filter(Boolean))
            item.append(html("span", { class: `attn-tag attn-${name}` }, text));
        });
        if (guess === null) return "";
        const right = items.findIndex((item) => item.dataset.right);
        if (right < 0) return `You guessed ${letter(guess)}.`;
        return right === guess
          ? `You guessed ${letter(guess)}, and that is the answer.`
          : `You guessed ${letter(guess)}. The answer is ${letter(right)}.`;
      },
      close() {
        for (const input of inputs) {
          input.disabled = false;
          input.checked = false;
        }
        for (const tag of list.querySelectorAll(".attn-tag")) tag.remove();
      },
      crowd() {
        const rows = items.map((item, index) => {
          const name = `Hands for ${letter(index)}`;
          const input = html("input", {
            type: "number",
            min: 0,
            max: 999,
            inputmode: "numeric",
            "aria-label": name,
          });
          const bar = html("span", { class: "attn-hands" });
          const label = html("span", {}, letter(index));
          const row = html("div", { class: "attn-row" }, label, input, bar);
          row.classList.toggle("attn-is-truth", Boolean(item.dataset.right));
          return { input, bar, row };
        });
        const draw = () => {
          const counts = rows.map(({ input }) =>
            clamp(Math.round(Number(input.value)) || 0, 0, 999),
          );
          const most = Math.max(1, ...counts);
          rows.forEach(({ bar }, index) => {
            bar.style.setProperty("--part", counts[index] / most);
          });
        };
        for (const { input } of rows) input.addEventListener("input", draw);
        return [
          html("p", { class: "attn-hint" }, "How many hands for each?"),
          ...rows.map(({ row }) => row),
        ];
      },
    };
  }

  function slider(slot) {
    const { low, high, step, unit } = JSON.parse(slot.dataset.guess);
    const truth = Number(slot.dataset.truth);
    const told = slot.parentElement.querySelector(".attn-truth strong");
    // As the text behind the fold rounds it.
    const input = html("input", {
      type: "range",
      min: low,
      max: high,
      step,
      "aria-label": "Your guess",
      autocomplete: "off",
    });
    const shown = html("output", {}, "");
    // On the scale the unit would take the room of a phone.
    const short = (value) => written(value, unit === "%" ? unit : "");
    const place = (value) => clamp((value - low) / (high - low), 0, 1);
    const tell = () => {
      shown.textContent = written(input.valueAsNumber, unit);
      input.setAttribute("aria-valuetext", shown.textContent);
    };
    input.value = (low + high) / 2;
    input.addEventListener("input", tell);
    tell();
    const ends = html(
      "div",
      { class: "attn-ends", "aria-hidden": "true" },
      html("span", {}, written(low, unit)),
      html("span", {}, written(high, unit)),
    );
    const marks = html("div", { class: "attn-scale", hidden: true });
    slot.append(shown, input, marks, ends);
    const mark = (value, name, text) => {
      const part = place(value);
      const side = part > 0.5 ? " attn-left" : "";
      const node = html("div", { class: `attn-mark-at attn-${name}${side}` });
      node.style.setProperty("--part", part);
      if (text) node.append(html("span", {}, text));
      return node;
    };
    return {
      read: () => input.valueAsNumber,
      write(value) {
        if (!isNumber(value) || value < low || value > high) return false;
        input.value = value;
        tell();
        return true;
      },
      open(guess) {
        const guessed = guess === null ? null : written(guess, unit);
        input.hidden = shown.hidden = true;
        marks.hidden = false;
        marks.replaceChildren(
          ...(guessed === null
            ? []
            : [mark(guess, "yours", `yours: ${short(guess)}`)]),
          mark(truth, "truth", `answer: ${told.textContent}`),
        );
        return guessed === null ? "" : `You guessed ${guessed}.`;
      },
      close() {
        input.hidden = shown.hidden = false;
        marks.hidden = true;
      },
      crowd() {
        const field = html("input", { type: "text", inputmode: "decimal" });
        const label = html(
          "label",
          { class: "attn-hint" },
          "The guesses of the class, with spaces between: ",
          field,
        );
        const dots = html("div", { class: "attn-scale attn-crowd" });
        const words = html("p", { role: "status" });
        field.addEventListener("input", () => {
          const values = field.value
            .split(/[\s;]+/)
            .filter(Boolean)
            .map((text) => Number(text.replace(",", ".").replace("%", "")))
            .filter(isNumber);
          const sum = values.reduce((total, value) => total + value, 0);
          const mean = sum / values.length;
          dots.replaceChildren(
            ...values.map((value) => mark(value, "hand", "")),
            ...(values.length ? [mark(mean, "yours", "mean of all")] : []),
            mark(truth, "truth", "answer"),
          );
          const all = `${values.length} guesses, mean ${written(mean, unit)}.`;
          words.textContent = values.length ? all : "";
        });
        return [label, dots, words];
      },
    };
  }

  function curve(slot) {
    const told = JSON.parse(slot.dataset.guess);
    const { x, truth, low, high, unit } = told;
    // Letters keep their size where the page is narrow.
    const [width, height] = slot.clientWidth < 480 ? [360, 320] : [640, 340];
    const box = { left: 60, right: width - 8, top: 16, bottom: height - 50 };
    const line = (name) => (told.log.includes(name) ? Math.log : Number);
    const axis = (name, from, to, start, end) => {
      const f = line(name);
      return {
        to: (v) =>
          start + ((f(v) - f(from)) / (f(to) - f(from))) * (end - start),
        back(place) {
          const part = clamp((place - start) / (end - start), 0, 1);
          const value = f(from) + part * (f(to) - f(from));
          return told.log.includes(name) ? Math.exp(value) : value;
        },
      };
    };
    const across = axis("x", x[0], x.at(-1), box.left + 16, box.right - 16);
    const up = axis("y", low, high, box.bottom, box.top);
    const middle = up.back((box.top + box.bottom) / 2);
    let ys = x.map(() => middle);
    let drawn = false;

    const path = (values) =>
      values
        .map(
          (y, i) =>
            `${i ? "L" : "M"}${across.to(x[i])} ${up.to(clamp(y, low, high))}`,
        )
        .join("");
    const text = (content, attributes) => svg("text", attributes, content);
    const bottom = box.bottom;
    const frame = [
      svg("path", {
        class: "attn-axis",
        d: `M${box.left} ${box.top}V${bottom}H${box.right}`,
      }),
      ...[low, middle, high].map((y) =>
        text(written(y, unit), {
          x: box.left - 8,
          y: up.to(y) + 6,
          "text-anchor": "end",
        }),
      ),
      ...x.map((value) =>
        text(written(value, ""), {
          x: across.to(value),
          y: bottom + 20,
          "text-anchor": "middle",
        }),
      ),
      text(told.xlabel, { x: box.right, y: bottom + 42, "text-anchor": "end" }),
      text(told.ylabel, { x: box.left + 8, y: box.top + 12 }),
    ];
    const yours = svg("path", { class: "attn-line attn-yours" });
    const real = svg("path", { class: "attn-line attn-truth" });
    const names = svg("g");
    const points = x.map((value, index) =>
      svg("circle", {
        class: "attn-point",
        r: 9,
        cx: across.to(value),
        role: "slider",
        tabindex: index ? -1 : 0,
        "aria-label": `${told.ylabel} at ${told.xlabel} ${written(value, "")}`,
        "aria-orientation": "vertical",
        "aria-valuemin": low,
        "aria-valuemax": high,
      }),
    );
    const handles = svg("g", {}, ...points);
    const plot = svg(
      "svg",
      {
        viewBox: `0 0 ${width} ${height}`,
        class: "attn-plot",
        role: "group",
        "aria-label":
          "Your curve: arrow keys move a point, and from point to point",
      },
      ...frame,
      yours,
      real,
      names,
      handles,
    );
    const draw = () => {
      yours.setAttribute("d", path(ys));
      points.forEach((point, index) => {
        point.setAttribute("cy", up.to(ys[index]));
        point.setAttribute("aria-valuenow", ys[index]);
        point.setAttribute("aria-valuetext", written(ys[index], unit));
      });
    };
    const set = (index, y) => {
      ys[index] = Number(clamp(y, low, high).toPrecision(4));
      drawn = true;
    };

    // Pointers draw, also across points that a quick one jumped over.
    const spot = (event) => {
      const point = new DOMPoint(event.clientX, event.clientY);
      return point.matrixTransform(plot.getScreenCTM().inverse());
    };
    let last = null;
    const pull = (event) => {
      const now = spot(event);
      const from = last ?? now;
      const [left, right] = [from, now].sort((a, b) => a.x - b.x);
      const half = (box.right - box.left) / x.length / 2;
      x.forEach((value, index) => {
        const at = across.to(value);
        const near = Math.abs(at - now.x) <= half;
        if (near) set(index, up.back(now.y));
        else if (at >= left.x && at <= right.x) {
          const part = (at - left.x) / (right.x - left.x || 1);
          set(index, up.back(left.y + part * (right.y - left.y)));
        }
      });
      last = now;
      draw();
    };
    plot.addEventListener("pointerdown", (event) => {
      if (handles.hasAttribute("hidden")) return;
      plot.setPointerCapture(event.pointerId);
      last = null;
      pull(event);
    });
    plot.addEventListener("pointermove", (event) => {
      if (plot.hasPointerCapture(event.pointerId)) pull(event);
    });

    const go = (index) => {
      points.forEach((point, i) => {
        point.setAttribute("tabindex", i === index ? 0 : -1);
      });
      points[index].focus();
    };
    handles.addEventListener("keydown", (event) => {
      const index = points.indexOf(event.target);
      const moved = { ArrowUp: -1, ArrowDown: 1, PageUp: -5, PageDown: 5 };
      const ends = { Home: low, End: high };
      const stepped = { ArrowLeft: index - 1, ArrowRight: index + 1 };
      if (event.key in moved) {
        const step = ((bottom - box.top) / 50) * moved[event.key];
        set(index, up.back(up.to(ys[index]) + step));
      } else if (event.key in ends) set(index, ends[event.key]);
      else if (event.key in stepped)
        go(clamp(stepped[event.key], 0, x.length - 1));
      else return;
      event.preventDefault();
      draw();
    });
    slot.append(plot);
    draw();

    const rows = () => [
      ...slot.parentElement.querySelectorAll(".attn-drawn tr"),
    ];
    const name = (content, values, css, shift) =>
      text(content, {
        class: css,
        x: box.right - 8,
        y: clamp(
          up.to(clamp(values.at(-1), low, high)) + shift,
          24,
          bottom - 6,
        ),
        "text-anchor": "end",
      });
    return {
      missing: "Draw your curve first, or skip.",
      read: () => (drawn ? [...ys] : null),
      write(values) {
        const fits =
          Array.isArray(values) &&
          values.length === x.length &&
          values.every((y) => isNumber(y) && y >= low && y <= high);
        if (!fits) return false;
        ys = [...values];
        drawn = true;
        draw();
        return true;
      },
      open(guess) {
        handles.toggleAttribute("hidden", true);
        plot.classList.add("attn-shown");
        real.setAttribute("d", path(truth));
        yours.toggleAttribute("hidden", guess === null);
        // The lower of the two has its name below.
        const below = guess !== null && guess.at(-1) < truth.at(-1);
        names.replaceChildren(
          name("measured", truth, "attn-truth", below ? -12 : 24),
          ...(guess === null
            ? []
            : [name("yours", guess, "attn-yours", below ? 24 : -12)]),
        );
        if (guess === null) return "";
        rows().forEach((row, index) => {
          const cell = index
            ? html(
                "td",
                { class: "attn-added" },
                written(guess[index - 1], unit),
              )
            : html("th", { class: "attn-added" }, "your guess");
          row.append(cell);
        });
        return "Your curve and the measured one:";
      },
      close() {
        handles.toggleAttribute("hidden", false);
        plot.classList.remove("attn-shown");
        yours.toggleAttribute("hidden", false);
        real.removeAttribute("d");
        names.replaceChildren();
        for (const row of rows()) row.querySelector(".attn-added")?.remove();
        ys = x.map(() => middle);
        drawn = false;
        draw();
      },
    };
  }

  // --- Widgets whose read-outs wait ----------------------------------------

  const named = (element) => {
    try {
      return JSON.parse(element.dataset.state).name;
    } catch {
      return "";
    }
  };

  /** Does the page's address hold a state of this widget, to be seen? */
  const asked = (name) =>
    location.hash.startsWith(`#attn:${encodeURIComponent(name)}?`);

  function veil(element, id) {
    const link = html("a", { href: `#${id}` }, "Guess first");
    const line = html("p", { class: "attn-veil" }, link, ", then it answers.");
    element.before(line);
    // A widget that marks its read-outs keeps the rest in use.
    const choose = () => {
      const root = element.querySelector(":scope > div")?.shadowRoot;
      const marked = root?.querySelector("[part~='readout']");
      element.dataset.veiled = marked ? "readouts" : "whole";
      element.inert = !marked;
    };
    choose();
    const waiting = new MutationObserver(choose);
    waiting.observe(element, {
      childList: true,
      attributeFilter: ["data-mounted"],
    });
    return () => {
      waiting.disconnect();
      line.remove();
      delete element.dataset.veiled;
      element.inert = false;
    };
  }

  // --- A guess -------------------------------------------------------------

  const kinds = { options, slider, curve };

  function wake(box) {
    const slot = box.querySelector("[data-guess]");
    const field = kinds[JSON.parse(slot.dataset.guess).kind](slot);
    const fold = box.querySelector(":scope > details");
    const wanted = box.dataset.veils?.split(" ") ?? [];
    const widgets = [...document.querySelectorAll("[data-state]")].filter(
      (element) => wanted.includes(named(element)) && !asked(named(element)),
    );
    let unveil = [];

    const button = (text, css, act) => {
      const node = html("button", { type: "button", class: css }, text);
      node.addEventListener("click", act);
      return node;
    };
    const words = html("p", { class: "attn-said", tabindex: -1 });
    const lock = button("Lock in my guess", "attn-primary", () => {
      const guess = field.read();
      if (guess === null) words.textContent = field.missing;
      else decide({ guess });
    });
    const skip = button("Skip", "", () => decide({ guess: null }));
    const again = button("Guess again", "", () => {
      kept.set(box.dataset.key, null);
      field.close();
      hide();
      slot.querySelector("input, [tabindex='0']")?.focus();
    });
    const bar = html("div", { class: "attn-buttons" }, lock, skip, again);
    const status = html("div", { role: "status" }, words);
    fold.before(status);
    fold.after(bar);

    if (field.crowd) {
      const panel = html("div", { class: "attn-class", hidden: true });
      const toggle = button("In class", "", () => {
        if (!panel.childElementCount) panel.append(...field.crowd());
        panel.hidden = !panel.hidden;
        toggle.setAttribute("aria-expanded", String(!panel.hidden));
      });
      toggle.setAttribute("aria-expanded", "false");
      bar.append(toggle);
      status.after(panel);
    }

    const hide = () => {
      box.classList.remove("attn-open");
      fold.open = false;
      words.textContent = "";
      lock.hidden = skip.hidden = false;
      again.hidden = true;
      unveil = widgets.map((element) => veil(element, box.id));
    };
    const show = (guess) => {
      box.classList.add("attn-open");
      fold.open = true;
      lock.hidden = skip.hidden = true;
      again.hidden = false;
      for (const lift of unveil) lift();
      unveil = [];
      words.textContent = field.open(guess);
    };
    const decide = (decision) => {
      kept.set(box.dataset.key, decision);
      show(decision.guess);
      // The button that had the focus is gone.
      (decision.guess === null ? again : words).focus();
    };

    box.classList.add("attn-awake");
    const before = kept.get(box.dataset.key);
    const skipped = before?.guess === null;
    hide();
    if (before && (skipped || field.write(before.guess))) show(before.guess);
  }

  for (const box of document.querySelectorAll(".attn-guess")) wake(box);
})();
