// Present: a widget fills the screen, in letters for the back row.
import { h } from "./dom.ts";

// A stage is laid out so high, then enlarged to the screen: the smallest
// letters of a widget, 11 px, are 2.2 % of it.
const HIGH = 500;
// The narrowest stage: on a phone the letters stay as they are.
const NARROW = 600;

export interface Steps {
  next?(): void;
  back?(): void;
}

/** How much larger a screen shows what is laid out on a stage. */
export const enlargement = (width: number, height: number): number =>
  Math.max(1, Math.min(height / HIGH, width / NARROW));

/** Keys that lead on and back, also those of a hand-held presenter. */
const ON = ["ArrowRight", "PageDown", " "];
const BACK = ["ArrowLeft", "PageUp"];
const TAKES_KEYS = "input, select, textarea, [role=grid], [role=slider]";

/** Does what has the focus use this key itself? */
function isTaken(event: KeyboardEvent): boolean {
  if (event.key.startsWith("Page")) return false;
  const focused = event.composedPath()[0];
  if (!(focused instanceof Element)) return false;
  const pressed = event.key === " " ? "button, summary, " : "";
  return focused.closest(pressed + TAKES_KEYS) !== null;
}

/**
 * Let a card fill the screen, and come back from there. `refit` is told when
 * the room changes; `steps` are what keys lead through.
 */
export function createStage(
  root: HTMLElement,
  card: HTMLElement,
  steps: Steps,
  refit: () => void,
) {
  const leaveButton = h("button", { type: "button", class: "leave" }, "Leave");
  let on = false;
  let opener: HTMLElement | null = null;

  function fit() {
    const [width, height] = [window.innerWidth, window.innerHeight];
    const times = enlargement(width, height);
    card.style.width = `${width / times}px`;
    card.style.height = `${height / times}px`;
    card.style.transform = `scale(${times})`;
    refit();
  }

  async function enter(from: HTMLElement) {
    if (on) return;
    on = true;
    opener = from;
    card.classList.add("present");
    window.addEventListener("resize", fit);
    window.addEventListener("keydown", press, { capture: true });
    document.addEventListener("focusin", keepFocus);
    document.addEventListener("fullscreenchange", follow);
    fit();
    leaveButton.focus();
    try {
      await root.requestFullscreen();
    } catch {
      // Refused, as in some frames: above the page instead.
      root.popover = "manual";
      root.showPopover?.();
    }
  }

  function leave() {
    if (!on) return;
    on = false;
    card.classList.remove("present");
    card.removeAttribute("style");
    window.removeEventListener("resize", fit);
    window.removeEventListener("keydown", press, { capture: true });
    document.removeEventListener("focusin", keepFocus);
    document.removeEventListener("fullscreenchange", follow);
    if (document.fullscreenElement) document.exitFullscreen();
    root.removeAttribute("popover");
    refit();
    opener?.focus();
  }

  /** The browser has its own ways out of full screen. */
  function follow() {
    if (!document.fullscreenElement) leave();
  }

  /** What is covered by the stage is not reached with Tab. */
  function keepFocus(event: FocusEvent) {
    if (!event.composedPath().includes(root)) leaveButton.focus();
  }

  function press(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action =
      event.key === "Escape"
        ? leave
        : isTaken(event)
          ? undefined
          : ON.includes(event.key)
            ? steps.next
            : BACK.includes(event.key)
              ? steps.back
              : undefined;
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  leaveButton.addEventListener("click", leave);
  return {
    leaveButton,
    enter,
    leave,
    isOn: () => on,
  };
}
