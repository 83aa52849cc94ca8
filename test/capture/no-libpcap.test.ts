import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { capState } from "../../src/information.ts";
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

function withoutLibpcap(...words: readonly string[]): { status: number | null; stdout: string; stderr: string } {
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

  it("a capture is refused with the command that installs it, not with the other engine, which calls libpcap, too", () => {
    const { status, stderr } = withoutLibpcap("-i", "lo", "-P", "0", "--metrics-port", "0");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /libpcap is not installed .*: apt install libpcap0\.8, dnf install libpcap or apk add libpcap\n/,
    );
  });

  const unbuilt = capState() === "not built" ? "the package cap is not built here" : false;

  it("the engine cap is refused with what installs libpcap, not with the engine libpcap", { skip: unbuilt }, () => {
    const { status, stderr } = withoutLibpcap("-i", "lo", "-P", "0", "--metrics-port", "0", "--engine", "cap");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^tcplat: the cap engine calls libpcap, too \(.*\): apt install libpcap0\.8, .*apk add libpcap\n$/,
    );
  });

  it("the doctor and -v call the engine cap built, and libpcap missing", { skip: unbuilt }, () => {
    const { status, stdout } = withoutLibpcap("doctor", "-P", "0", "--metrics-port", "0");
    assert.equal(status, 1);
    assert.match(stdout, /^problem {2}engine libpcap: libpcap is not installed → .*libpcap/m);
    assert.match(stdout, /^problem {2}engine cap: built, but libpcap is missing → .*libpcap/m);
    assert.match(withoutLibpcap("-v").stdout, /^engine cap built, but libpcap is missing$/m);
  });
});
