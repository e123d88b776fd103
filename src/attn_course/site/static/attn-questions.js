(() => {
  // A question: show the explanation of each option that was chosen. Nothing
  // is kept, and a new choice clears the last answer. Where the page has a
  // tally, it counts what was right at the first try.
  const letter = (index) => String.fromCharCode(65 + index);
  const paragraph = (text) => {
    const node = document.createElement("p");
    node.textContent = text;
    return node;
  };

  const questions = [...document.querySelectorAll(".attn-question")];
  const board = document.querySelector(".attn-tally");
  const firsts = new Map();

  // A copy must neither repeat an id nor hold a button that is dead.
  const copyInto = (box, original) => {
    box.append(...original.cloneNode(true).childNodes);
    for (const one of box.querySelectorAll("[id]")) one.removeAttribute("id");
    for (const one of box.querySelectorAll("button")) one.remove();
  };

  const linkTo = (question) => {
    const link = document.createElement("a");
    link.href = `#${question.id}`;
    link.textContent = `question ${questions.indexOf(question) + 1}`;
    const taught = question.querySelector(".attn-taught a");
    return taught ? [link, " (", taught.cloneNode(true), ")"] : [link];
  };
  const count = (question, isRight) => {
    if (!board || firsts.has(question)) return;
    firsts.set(question, isRight);
    const missed = questions.filter((one) => firsts.get(one) === false);
    const right = firsts.size - missed.length;
    const open = questions.length - firsts.size;
    const line = paragraph(`${right} of ${questions.length} at the first try`);
    line.append(open ? `, ${open} to go.` : ".");
    if (missed.length) line.append(" Look again at ");
    missed.forEach((one, i) => {
      const last = i === missed.length - 1;
      line.append(i === 0 ? "" : last ? " and " : ", ", ...linkTo(one));
    });
    if (missed.length) line.append(".");
    board.replaceChildren(line);
    board.hidden = false;
  };

  for (const question of questions) {
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
      copyInto(box, answers[index]);
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
      const all = inputs.every((one, i) => one.checked === isRight(i));
      if (inputs[0].type === "checkbox") {
        const wrong = chosen.some((i) => !isRight(i));
        const text = all
          ? "All right, and nothing is missing."
          : wrong
            ? "Not all of these are right. Try again."
            : "Right so far, but something is missing.";
        shown.unshift(paragraph(text));
      }
      const taught = question.querySelector(".attn-taught");
      if (taught && !all) {
        const box = document.createElement("div");
        copyInto(box, taught);
        shown.push(box);
      }
      result.replaceChildren(...shown);
      count(question, all);
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
