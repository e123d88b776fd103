// A change that is no drag moves from what was to what is.

const DURATION = 250; // milliseconds

export const isStill = (): boolean =>
  matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Slow at both ends; from 0 to 1. */
const ease = (t: number): number => t * t * (3 - 2 * t);

/** Call `draw` with shares from 0 to 1, a frame each; a new move ends it. */
export function createMove(draw: (share: number) => void) {
  let frame = 0;
  const stop = () => {
    cancelAnimationFrame(frame);
    frame = 0;
  };
  return {
    stop,
    start() {
      stop();
      // From the first frame on: a slow one skips nothing.
      let begin = 0;
      const step = (now: number) => {
        begin ||= now;
        const t = Math.min(1, (now - begin) / DURATION);
        frame = t < 1 ? requestAnimationFrame(step) : 0;
        draw(ease(t));
      };
      frame = requestAnimationFrame(step);
    },
  };
}
