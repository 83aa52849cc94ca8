/** How old a document may be: many readers at once cost as much as one. */
const FRESH_MS = 20;

/** Makes `make` run at most once in 20 ms, however often it is asked. */
export function cached<Document>(make: () => Document): () => Document {
  let document: Document | undefined;
  let madeAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (document === undefined || now - madeAt > FRESH_MS) {
      document = make();
      madeAt = now;
    }
    return document;
  };
}
