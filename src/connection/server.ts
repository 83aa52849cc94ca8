/** A server and what TCP did on its connections. Ids are dense, from 1; 0 is the shared "other". */
export class Server {
  readonly id: number;
  /** `10.0.0.1:6379`, or "other". */
  readonly text: string;
  retransmittedSegments = 0;
  outOfOrderSegments = 0;
  gaps = 0;
  gapBytes = 0;
  zeroWindows = 0;

  constructor(id: number, text: string) {
    this.id = id;
    this.text = text;
  }
}
