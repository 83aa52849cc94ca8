/** How old a document may be at least, and at most this many times what making it took: a flood of readers costs 20 %. */
const FRESH_MS = 20;
const FRESH_COSTS = 4;

/** Makes `make` run seldom enough, however often its document is asked for. */
export function cached<Document>(make: () => Document): () => Document {
  let document: Document | undefined;
  let freshUntil = Number.NEGATIVE_INFINITY;
  return () => {
    const startMs = performance.now();
    if (document !== undefined && startMs <= freshUntil) return document;
    document = make();
    const endMs = performance.now();
    freshUntil = endMs + Math.max(FRESH_MS, FRESH_COSTS * (endMs - startMs));
    return document;
  };
}
