import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pcapFile } from "../support/pcap-file.ts";
import { CLI } from "../support/tcplat.ts";

const folder = mkdtempSync(join(tmpdir(), "tcplat-no-libpcap-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "empty.pcap");
writeFileSync(file, pcapFile([]));

/** In a mount namespace of its own, in which every libpcap is an empty file. */
const HIDE = `for f in /usr/lib/*/libpcap.so* /usr/lib/libpcap.so* /usr/lib64/libpcap.so*; do
  [ -f "$f" ] && [ ! -L "$f" ] && { mount --bind /dev/null "$f" || exit 99; }
done
exec "$@"`;

function withoutLibpcap(...words: readonly string[]): { status: number | null; stderr: string } {
  return spawnSync("unshare", ["--mount", "sh", "-c", HIDE, "sh", process.execPath, CLI, ...words], {
    encoding: "utf8",
  });
}

const probe = spawnSync("unshare", ["--mount", "sh", "-c", HIDE, "sh", "true"]);
const skip = probe.status === 0 ? false : "a mount namespace cannot be made here";

describe("without libpcap", { skip }, () => {
  it("a plain capture file is read all the same", () => {
    const { status, stderr } = withoutLibpcap("-r", file);
    assert.deepEqual([status, /frames +0 on/.test(stderr)], [0, true], stderr);
  });

  it("a filter is refused with what goes without one", () => {
    const { status, stderr } = withoutLibpcap("-r", file, "tcp port 6379");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /libpcap is not installed .*; a plain pcap file is read without it where no filter is given\n/,
    );
  });

  it("a capture is refused with the command that installs it, and the other engine", () => {
    const { status, stderr } = withoutLibpcap("-i", "lo", "-P", "0", "--metrics-port", "0");
    assert.equal(status, 1);
    assert.match(stderr, /libpcap is not installed .*apt install libpcap0\.8.*; or use --engine cap\n/);
  });
});
