import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";

const ROOT = process.cwd();
/** What npm, or the network below it, says when the registry cannot be had. */
const IS_UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|ENOTCACHED|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/;

const NPM_TIMEOUT_MS = 120_000;

describe("the packed tarball", () => {
  let folder = "";
  let files: string[] = [];
  let tarball = "";

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tcplat-package-"));
    const checkout = copyOfCheckout(folder);
    // prepack builds dist, here and not in the checkout, whose dist these very tests run from.
    npm(["pack", "--pack-destination", folder], checkout);
    tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
    const listing = spawnSync("tar", ["-tzf", join(folder, tarball)], { encoding: "utf8" });
    files = listing.stdout
      .split("\n")
      .filter((name) => name !== "")
      .map((name) => name.replace(/^package\//, ""));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test("holds the program, the units, the notes and the texts", () => {
    for (const file of ["package.json", "LICENSE", "README.md", "CHANGELOG.md", "dist/bin/cli.js", "man/tcplat.1"]) {
      assert.ok(files.includes(file), `${file} is missing`);
    }
    for (const path of ["systemd", "native-notes", "examples", "types"]) {
      for (const name of readdirSync(join(ROOT, path))) {
        assert.ok(files.includes(`${path}/${name}`), `${path}/${name} is missing`);
      }
    }
  });

  test("holds all of the program: whatever a file of it loads is there", () => {
    const programs = files.filter((name) => name.startsWith("dist/") && !name.endsWith(".cache"));
    const checkout = join(folder, "checkout");
    const missing = programs.flatMap((name) => {
      const text = readFileSync(join(checkout, name), "utf8");
      const loaded = [...text.matchAll(/(?:require|new URL)\(["'](\.[^"']+\.js)["']/g)].map(([, path]) => path!);
      return loaded
        .filter((path) => !programs.includes(join(dirname(name), path)))
        .map((path) => `${name} wants ${path}`);
    });
    assert.deepEqual(missing, []);
    const others = ["cap-child", "script-worker", "worker"].map((name) => `dist/bin/${name}.js`);
    for (const program of ["dist/bin/cli.js", "dist/bin/demo.js", ...others])
      assert.ok(programs.includes(program), program);
  });

  test("holds no tests, no sources and nothing of the checkout's tools", () => {
    const isExpected =
      /^(package\.json|LICENSE|README\.md|CHANGELOG\.md|dist\/bin\/([^/]+\.js|package\.json|yargs-parser\.txt|rehearsal\.pcap|compiled\/[^/]+\/[^/]+\.cache)|systemd\/.+|man\/tcplat\.1|native-notes\/.+|examples\/.+|types\/.+\.d\.ts)$/;
    assert.deepEqual(
      files.filter((file) => !isExpected.test(file)),
      [],
    );
  });

  test("once installed is a program named tcplat with its manual page, even where install scripts are blocked", (t) => {
    const prefix = join(folder, "prefix");
    const isInstalled = installed(t, join(folder, tarball), prefix);
    if (!isInstalled) return;
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const result = spawnSync(join(prefix, "bin", "tcplat"), ["--version"], { encoding: "utf8", cwd: folder });
    assert.equal(result.error, undefined);
    assert.equal(result.stderr, "");
    assert.ok(result.stdout.includes(version), result.stdout);
    assert.equal(result.status, 0);
    // Where `man tcplat` looks: npm puts a link there, but only for a list of pages.
    const page = readFileSync(join(prefix, "share/man/man1/tcplat.1"), "utf8");
    assert.equal(page, readFileSync(join(ROOT, "man/tcplat.1"), "utf8"));
  });
});

/** The checkout without what is made from it; npm finds the dependencies through a link. */
function copyOfCheckout(folder: string): string {
  const checkout = join(folder, "checkout");
  const isLeftOut = (path: string) => ["node_modules", "dist", ".git"].some((name) => path === join(ROOT, name));
  cpSync(ROOT, checkout, { recursive: true, filter: (path) => !isLeftOut(path) && !basename(path).endsWith(".tgz") });
  symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));
  return checkout;
}

/** Whether the tarball could be installed; if only the registry was missing, the test is skipped. */
function installed(t: TestContext, tarball: string, prefix: string): boolean {
  const result = runNpm(
    ["install", "--global", "--prefix", prefix, "--ignore-scripts", "--prefer-offline", tarball],
    ROOT,
  );
  if (result.status !== 0 && IS_UNREACHABLE.test(result.stderr)) {
    t.skip("the npm registry cannot be reached, and npm's cache lacks the dependencies");
    return false;
  }
  assert.equal(result.status, 0, result.stderr);
  assert.ok(existsSync(join(prefix, "bin", "tcplat")));
  return true;
}

function npm(args: string[], cwd: string): void {
  const result = runNpm(args, cwd);
  assert.equal(result.status, 0, result.stderr);
}

/** A fresh npm: what an outer `npm test` was told in the environment is not for this one. */
function runNpm(args: string[], cwd: string): { status: number | null; stderr: string } {
  const isForNpm = ([name]: [string, string | undefined]) =>
    /^npm_/i.test(name) && !/^npm_config_(registry|cache|userconfig|globalconfig)$/i.test(name);
  const env = Object.fromEntries(Object.entries(process.env).filter((entry) => !isForNpm(entry)));
  const all = [...args, "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=0"];
  return spawnSync("npm", all, { cwd, encoding: "utf8", env, timeout: NPM_TIMEOUT_MS });
}
