import { commandName, idText } from "../transactions/names.ts";
import { CAUSES, Shares } from "../transactions/shares.ts";
import type { Transaction } from "../transactions/transaction.ts";

/** Why a transaction took so long, in the words of the JSON record. Times in µs. */
export interface Verdict {
  /** The largest share, and that share. */
  readonly cause: string;
  readonly causeUs: number;
  /** What the latency went into; the shares add up to it. The server's is null where the network's cannot be told from it. */
  readonly shares: {
    readonly send: number;
    readonly queue: number;
    readonly retransmission: number;
    readonly network: number;
    readonly server: number | null;
    readonly receive: number;
  };
  readonly rttUs: number | null;
  readonly zeroWindowUs: number;
  /** The request that this one waited for most, or null; `elsewhere`: of another connection. */
  readonly behind: {
    readonly id: string;
    readonly command: string;
    readonly us: number;
    readonly elsewhere: boolean;
  } | null;
}

const shares = new Shares();

/** The verdict on an answered transaction, made anew for each call. */
export function verdictOf(of: Transaction): Verdict {
  const { send, queue, retransmission, network, server, receive, isNetworkUnknown, causeId } = shares.split(of);
  return {
    cause: CAUSES[causeId]!,
    causeUs: shares.causeUs,
    shares: { send, queue, retransmission, network, server: isNetworkUnknown ? null : server, receive },
    rttUs: of.rttUs,
    zeroWindowUs: of.zeroWindowUs,
    behind: behindOf(of),
  };
}

function behindOf({ behind, protocol }: Transaction): Verdict["behind"] {
  if (behind === null) return null;
  const { commandId, us, client } = behind;
  return { id: idText(behind), command: commandName(protocol, commandId), us, elsewhere: client !== null };
}
