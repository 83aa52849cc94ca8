/** Connections that spoke last and may keep what only a message being read needs. */
const PLACES = 512;

/** Something that can give memory back while nothing is said; waking up again is its own affair. */
export interface Sleeper {
  sleep(): void;
}

/**
 * Of 100,000 connections most are idle, between messages. Those that woke up last stay awake; whoever has slept and speaks
 * takes the place of the one that woke up longest ago. With fewer connections than places nobody ever sleeps.
 */
export class Awake {
  private readonly places: (Sleeper | null)[] = [];
  private next = 0;

  add(sleeper: Sleeper): void {
    this.places[this.next]?.sleep();
    this.places[this.next] = sleeper;
    this.next = (this.next + 1) % PLACES;
  }
}
