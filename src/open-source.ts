import { widenToVlan } from "./capture/filter.ts";
import type { FrameSource } from "./capture/frame-source.ts";
import { openFile, openLive } from "./capture/libpcap.ts";
import { TcplatError } from "./errors.ts";
import type { Options } from "./options.ts";

/** Opens what the options name: an interface, a file or standard input. Throws TcplatError. */
export async function openSource(options: Options): Promise<FrameSource> {
  if (!options.vlan) return await openWith(options, options.filter);
  try {
    return await openWith(options, widenToVlan(options.filter));
  } catch (error) {
    if (!(error instanceof TcplatError) || error.code !== "filter") throw error;
    // Cooked frames (`any`) carry no tag: the kernel has taken it off, and libpcap refuses to look for one.
    return await openWith(options, options.filter);
  }
}

async function openWith(options: Options, filter: string): Promise<FrameSource> {
  if (options.read !== null) return await openFile({ file: options.read, filter });
  const live = { interface: options.interface, snaplen: options.snaplen, bufferKib: options.bufferKib, filter };
  if (options.engine !== "cap") return openLive(live);
  const { openCap } = await import("./capture/cap.ts");
  return await openCap(live);
}
