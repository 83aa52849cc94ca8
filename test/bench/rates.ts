import { fileURLToPath } from "node:url";
import { cost, inTurn } from "./measure.ts";
import { atLeast, type Bench, median, millions, plainRow } from "./rows.ts";

/** How many frames of some traffic the stages take in a second; each kind is a process of its own, as the pieces are (pieces.ts). */
function rates(name: string, about: string, kinds: readonly (readonly [work: string, kind: string])[]): Bench {
  const program = fileURLToPath(new URL(`./joined/${name}.js`, import.meta.url));
  const rateOf = async (kind: string) => Number((await cost([process.execPath, program, kind])).stdout);
  return {
    name,
    about,
    run: async ({ runs }) => {
      const found = await inTurn(runs, Object.fromEntries(kinds.map(([work, kind]) => [work, () => rateOf(kind)])));
      const unit = "frames/s";
      return kinds.map(([work]) => plainRow(work, median(found[work]!), millions(unit), atLeast(1, ` M ${unit}`)));
    },
  };
}

export const RATES: readonly Bench[] = [
  rates("dns", "DNS in datagrams, from few ports and each question from another", [
    ["DNS, from 50 ports", "50"],
    ["DNS, each question from another port", "60000"],
  ]),
  rates("http", "HTTP/1.1 on connections that stay open, with the fields of curl and of a browser", [
    ["HTTP, curl's fields, 1 KB by length", "curl"],
    ["HTTP, a browser's fields, 1 KB by length", "browser"],
    ["HTTP, a browser's fields, 1 KB by chunk", "chunks"],
  ]),
];
