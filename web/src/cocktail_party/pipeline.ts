// From two voices to one sound, in stages. A change starts again at the first
// stage that it touches; long work is done in small steps, so that the page
// stays quick.
import {
  BINS,
  beamWeights,
  type Cells,
  DIRECTIONS,
  diffuseNoise,
  directionScores,
  directionWeights,
  type Ears,
  ear,
  expectedKeys,
  keysOf,
  mix,
  nearEar,
  place,
  resynthesise,
  rms,
  type Steps,
  siSdr,
  stft,
  whoIsWhere,
} from "./model.ts";

export interface Settings {
  voices: Float64Array[];
  noise: number; // decibels
  seed: number;
  angles: number[]; // of the voices
  temperature: number;
  angle: number | null; // the query; null: attend to everything
}

/** Signal against the rest for one voice, in decibels. */
export interface Gain {
  before: number;
  after: number;
}

export interface Results {
  cells: Cells;
  energy: Float64Array;
  weights: Float32Array; // of the cells
  shares: Float64Array; // of the directions
  sound: Ears;
  level: number; // gain at which the mixture is played
  gains: Gain[];
}

/** Loudness at which a mixture is played, and the peak it may reach. */
const [LOUDNESS, PEAK] = [0.08, 0.9];
const BUDGET = 5; // milliseconds of work at a time

export class Pipeline {
  readonly results: Partial<Results> = {};
  private wanted: Settings | null = null;
  private parts: Ears[] = [];
  private ears: Ears | null = null;
  private scores: Float32Array | null = null;
  private directions: Float32Array | null = null;
  private hiss = new Map<string, Ears>();
  private queries: Float64Array | null = null;
  private dirty = { mix: true, weigh: true, sound: true };
  private running = false;
  private closed = false;

  private readonly done: (stage: 0 | 1 | 2) => void;

  /** `done` is called after a stage: 0 mixture, 1 weights, 2 sound. */
  constructor(done: (stage: 0 | 1 | 2) => void) {
    this.done = done;
  }

  /** Take settings; what they change is worked out soon. */
  set(next: Settings): void {
    const old = this.wanted;
    const moved =
      old === null ||
      next.voices !== old.voices ||
      String(next.angles) !== String(old.angles);
    const warmer = next.temperature !== old?.temperature;
    const turned = next.angle !== old?.angle;
    this.wanted = next;
    this.dirty.mix ||= moved;
    this.dirty.weigh ||= moved || warmer;
    this.dirty.sound ||= moved || warmer || turned;
    if (turned && !this.dirty.mix && !this.dirty.weigh) this.turn();
    if (moved || warmer || turned) this.run();
  }

  close(): void {
    this.closed = true;
  }

  /** Nothing left to do? */
  get idle(): boolean {
    return !this.running;
  }

  /** The weights of the cells for the present query: quick. */
  private turn(): void {
    const { directions, results, wanted } = this;
    if (!directions || !results.weights || !wanted) return;
    if (wanted.angle === null) results.weights.fill(1);
    else beamWeights(directions, wanted.angle, results.weights);
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    let until = performance.now() + BUDGET;
    for (let work = this.next(); work; work = this.next()) {
      for (const _ of work) {
        if (performance.now() < until) continue;
        await new Promise((go) => setTimeout(go));
        if (this.closed) return;
        until = performance.now() + BUDGET;
      }
    }
    this.running = false;
  }

  private next(): Steps<void> | null {
    const { dirty, wanted } = this;
    if (!wanted) return null;
    if (dirty.mix) {
      dirty.mix = false;
      return this.mix(wanted);
    }
    if (dirty.weigh) {
      dirty.weigh = false;
      return this.weigh(wanted);
    }
    if (dirty.sound) {
      dirty.sound = false;
      return this.listen(wanted);
    }
    return null;
  }

  private *mix({ voices, angles, noise, seed }: Settings): Steps<void> {
    const length = voices[0].length;
    const name = `${length} ${seed}`;
    let hiss = this.hiss.get(name);
    if (!hiss) {
      hiss = yield* diffuseNoise(length, seed);
      this.hiss.set(name, hiss);
    }
    const parts: Ears[] = [];
    for (let v = 0; v < 2; v++) parts.push(yield* place(voices[v], angles[v]));
    const ears = mix(parts, hiss, noise);
    yield;
    // From here on the mixture alone is used; the parts only measure.
    const cells = yield* stft(ears);
    const { keys, energy } = yield* keysOf(cells);
    this.queries ??= expectedKeys();
    this.scores = yield* directionScores(keys, this.queries);
    this.parts = parts;
    this.ears = ears;
    Object.assign(this.results, { cells, energy, level: loudness(ears) });
    const count = cells.frames * BINS;
    if (this.directions?.length !== count * DIRECTIONS.length) {
      this.directions = new Float32Array(count * DIRECTIONS.length);
      this.results.weights = new Float32Array(count);
    }
    this.done(0);
  }

  private *weigh({ temperature }: Settings): Steps<void> {
    const { scores, directions, results } = this;
    if (!scores || !directions || !results.energy) return;
    yield* directionWeights(scores, temperature, directions);
    results.shares = yield* whoIsWhere(directions, results.energy);
    this.turn();
    this.done(1);
  }

  private *listen({ angles }: Settings): Steps<void> {
    const { cells, weights } = this.results;
    const { ears, parts } = this;
    if (!cells || !weights || !ears) return;
    const sound = yield* resynthesise(cells, weights);
    const gains = [];
    for (let v = 0; v < 2; v++) {
      const side = nearEar(angles[v]);
      const target = ear(parts[v], side);
      gains.push({
        before: siSdr(ear(ears, side), target),
        after: siSdr(ear(sound, side), target),
      });
      yield;
    }
    Object.assign(this.results, { sound, gains });
    this.done(2);
  }
}

function loudness(ears: Ears): number {
  let peak = 0;
  for (const x of ears.left) peak = Math.max(peak, Math.abs(x));
  for (const x of ears.right) peak = Math.max(peak, Math.abs(x));
  return Math.min(LOUDNESS / rms(ears), PEAK / peak);
}
