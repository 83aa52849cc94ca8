/** Why a frame was not used. The names are label values of /metrics. */
export const SKIP_REASONS = ["", "link_type", "not_ip", "not_tcp", "fragment", "cut_header", "malformed"] as const;

/** Indexes into SKIP_REASONS; `none` means decoded. */
export const Skip = { none: 0, linkType: 1, notIp: 2, notTcp: 3, fragment: 4, cutHeader: 5, malformed: 6 } as const;
export type Skip = (typeof Skip)[keyof typeof Skip];

/** What decoding has counted since the start: frames = decoded + the sum of skipped. */
export class DecodeCounters {
  frames = 0;
  decoded = 0;
  /** By index of SKIP_REASONS. */
  readonly skipped = new Float64Array(SKIP_REASONS.length);
  /** Decoded frames of which fewer bytes were captured than were on the wire. */
  truncated = 0;
}
