(() => {
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
