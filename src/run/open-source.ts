import type { FanoutGroup } from "../capture/fanout.ts";
import { widenToVlan } from "../capture/filter.ts";
import type { FrameSource } from "../capture/frame-source.ts";
import { openFile, openLive } from "../capture/libpcap.ts";
import { TcplatError } from "../errors.ts";
import type { Options } from "../options.ts";

/**
 * Opens what the options name: an interface, a file or standard input. `fanout`: an interface's frames are shared with the
 * other sources of this group. Throws TcplatError.
 */
export async function openSource(options: Options, fanout: FanoutGroup | null = null): Promise<FrameSource> {
  if (!options.vlan) return await openWith(options, options.filter, fanout);
  try {
    return await openWith(options, widenToVlan(options.filter), fanout);
  } catch (error) {
    if (!(error instanceof TcplatError) || error.code !== "filter") throw error;
    // Cooked frames (`any`) carry no tag: the kernel has taken it off, and libpcap refuses to look for one.
    return await openWith(options, options.filter, fanout);
  }
}

async function openWith(options: Options, filter: string, fanout: FanoutGroup | null): Promise<FrameSource> {
  if (options.read !== null) return await openFile({ file: options.read, filter });
  const { snaplen, bufferKib } = options;
  const live = {
    interface: options.interface,
    snaplen,
    bufferKib,
    filter,
    fanout,
    inPlace: isReadInPlace(options) && fanout === null,
  };
  if (options.engine !== "cap") return openLive(live);
  const { openCap } = await import("../capture/cap.ts");
  return await openCap(live);
}

/** What keeps frames, writes them or hands them on takes them one behind the other, as in a file. */
function isReadInPlace({ write, dumpSlow, raw, scripts }: Options): boolean {
  return write === null && dumpSlow === null && raw === null && scripts.length === 0;
}
