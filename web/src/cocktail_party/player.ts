// Plays a sound round and round; another one takes over without a click.
import { type Ears, RATE } from "./model.ts";

const FADE = 0.04; // seconds

export class Player {
  private context: AudioContext | null = null;
  private now: { source: AudioBufferSourceNode; gain: GainNode } | null = null;
  private buffer: AudioBuffer | null = null;
  private began = 0;

  /** Does this browser make sound from numbers at all? */
  static readonly possible = typeof AudioContext !== "undefined";

  get playing(): boolean {
    return this.now !== null;
  }

  /** For tests and for the curious: what is heard now, if anything. */
  get sound(): AudioBuffer | null {
    return this.buffer;
  }

  get state(): string {
    return this.context?.state ?? "none";
  }

  /** How far into the sound, in seconds. */
  get position(): number {
    if (!this.context || !this.buffer) return 0;
    const since = this.context.currentTime - this.began;
    return Math.max(0, since) % this.buffer.duration;
  }

  /** Begin. Call it from a press: browsers allow sound only then. */
  async play(ears: Ears, gain: number): Promise<void> {
    this.context ??= new AudioContext();
    await this.context.resume();
    this.stop();
    this.began = this.context.currentTime;
    this.take(ears, gain);
  }

  /** Go on with another sound at the same place. */
  take(ears: Ears, gain: number): void {
    const context = this.context;
    if (!context) return;
    const buffer = context.createBuffer(2, ears.left.length, RATE);
    [ears.left, ears.right].forEach((samples, side) => {
      const channel = buffer.getChannelData(side);
      for (let i = 0; i < samples.length; i++) channel[i] = gain * samples[i];
    });
    const source = new AudioBufferSourceNode(context, { buffer, loop: true });
    const fade = new GainNode(context, { gain: 0 });
    source.connect(fade).connect(context.destination);
    this.buffer = buffer;
    const at = context.currentTime;
    fade.gain.setValueAtTime(0, at);
    fade.gain.linearRampToValueAtTime(1, at + FADE);
    source.start(at, this.position);
    this.fadeOut();
    this.now = { source, gain: fade };
  }

  stop(): void {
    this.fadeOut();
    this.now = null;
  }

  close(): void {
    this.stop();
    this.context?.close();
    this.context = null;
  }

  private fadeOut(): void {
    if (!this.now || !this.context) return;
    const at = this.context.currentTime;
    const { source, gain } = this.now;
    gain.gain.cancelScheduledValues(at);
    gain.gain.setValueAtTime(gain.gain.value, at);
    gain.gain.linearRampToValueAtTime(0, at + FADE);
    source.stop(at + FADE + 0.01);
  }
}
