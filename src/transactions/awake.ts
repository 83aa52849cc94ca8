/** Connections that spoke last and may keep what only a message being read needs. */
const PLACES = 512;
/** The place of what sleeps. */
export const ASLEEP = -1;

/** Something that can give memory back while nothing is said; waking up again is its own affair. */
export interface Sleeper {
  sleep(): void;
}

/**
 * Of 100,000 connections most are idle, between messages. Those that woke up last stay awake; whoever has slept and speaks
 * takes the place of one that woke up long ago. With fewer connections than places nobody ever sleeps.
 */
export class Awake {
  private readonly places: (Sleeper | null)[] = [];
  private readonly free: number[] = [];
  private next = 0;

  /** Returns its place. */
  add(sleeper: Sleeper): number {
    const place = this.free.pop() ?? this.taken();
    this.places[place] = sleeper;
    return place;
  }

  /** What was there needs it no longer. (Kept there, what a connection of a few packets leaves behind would outlive five hundred others.) */
  leave(place: number): void {
    this.places[place] = null;
    this.free.push(place);
  }

  private taken(): number {
    if (this.places.length < PLACES) return this.places.length;
    const place = this.next;
    this.next = (place + 1) % PLACES;
    this.places[place]!.sleep();
    return place;
  }
}
