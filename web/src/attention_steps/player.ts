// Play, back, next, and a slider over the steps: the one control in view.
import { h } from "../lib/dom.ts";
import { button } from "../lib/shell.ts";

const SECONDS = 2; // a step

export interface Player {
  element: HTMLElement;
  show(step: number): void;
  toggle(): void;
  stop(): void;
  /** Stop, and forget the page. */
  destroy(): void;
}

export interface PlayerParts {
  names: string[];
  /** The step as it is now. */
  now(): number;
  go(step: number): void;
}

export function createPlayer({ names, now, go }: PlayerParts): Player {
  const last = names.length - 1;
  let timer = 0;
  const play = button("Play", toggle);
  play.classList.add("play");
  const back = button("Back", () => move(now() - 1));
  const next = button("Next", () => move(now() + 1));
  const dots = names.map((name) =>
    h("span", { class: "dot" }, h("i"), h("b", {}, name)),
  );
  const scrub = h(
    "div",
    {
      class: "scrub",
      role: "slider",
      tabindex: 0,
      "aria-label": "step",
      "aria-valuemin": 1,
      "aria-valuemax": names.length,
    },
    ...dots,
  );
  const element = h(
    "div",
    { class: names.length < 10 ? "player few" : "player" },
    play,
    back,
    next,
    scrub,
  );

  function move(step: number) {
    stop();
    go(Math.max(0, Math.min(last, step)));
  }

  function toggle() {
    if (timer) return stop();
    if (now() >= last) go(0);
    timer = window.setInterval(() => {
      if (!element.isConnected || outOfView(element)) return stop();
      go(now() + 1);
      if (now() >= last) stop();
    }, SECONDS * 1000);
    play.textContent = "Pause";
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  }

  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Record<string, () => void> = {
      ArrowLeft: () => move(now() - 1),
      ArrowDown: () => move(now() - 1),
      ArrowRight: () => move(now() + 1),
      ArrowUp: () => move(now() + 1),
      Home: () => move(0),
      End: () => move(last),
    };
    if (event.target === scrub) moves[" "] = toggle;
    if (!Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    moves[event.key]();
  });
  const drag = (event: PointerEvent) => {
    const box = scrub.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width;
    const step = Math.max(0, Math.min(last, Math.floor(at * names.length)));
    if (step !== now()) move(step);
  };
  scrub.addEventListener("pointerdown", (event) => {
    scrub.setPointerCapture(event.pointerId);
    drag(event);
  });
  scrub.addEventListener("pointermove", (event) => {
    if (scrub.hasPointerCapture(event.pointerId)) drag(event);
  });

  return {
    element,
    show(step) {
      dots.forEach((dot, i) => {
        const kind = i === step ? "dot now" : i < step ? "dot past" : "dot";
        if (dot.className !== kind) dot.className = kind;
      });
      scrub.setAttribute("aria-valuenow", String(step + 1));
      scrub.setAttribute(
        "aria-valuetext",
        `${step + 1} of ${names.length}: ${names[step]}`,
      );
      back.disabled = step === 0;
      next.disabled = step === last;
    },
    toggle,
    stop,
    destroy: stop,
  };
}

function outOfView(element: HTMLElement): boolean {
  const { top, bottom } = element.parentElement!.getBoundingClientRect();
  return document.hidden || bottom < 0 || top > window.innerHeight;
}
