import assert from "node:assert/strict";
import { test } from "node:test";
import { localAddresses } from "../../src/capture/local-addresses.ts";

test("an address that this host was given later is known within a second to who misses it, to others within ten", () => {
  let atMs = 0;
  let asked = 0;
  let addresses = ["127.0.0.1"];
  const local = localAddresses(
    () => {
      asked++;
      return addresses;
    },
    () => atMs,
  );
  const knows = (again: boolean): boolean => local(again).has("10.0.0.9");

  assert.equal(knows(false), false);
  addresses = ["127.0.0.1", "10.0.0.9"];
  atMs = 999;
  assert.equal(knows(true), false); // a mirror port, where it is never its own, must not have the system asked for each connection
  assert.equal(asked, 1);
  atMs = 1000;
  assert.equal(knows(false), false);
  assert.equal(knows(true), true);
  assert.equal(asked, 2);

  addresses = ["127.0.0.1"];
  atMs = 10_999;
  assert.equal(knows(false), true);
  atMs = 11_000;
  assert.equal(knows(false), false);
});

test("while the system does not say which addresses are its own, those that were known are", () => {
  let atMs = 0;
  let addresses: string[] | null = ["10.0.0.9"];
  const local = localAddresses(
    () => addresses,
    () => atMs,
  );
  assert.deepEqual([...local(false)], ["10.0.0.9"]);
  addresses = null;
  atMs = 10_000;
  assert.deepEqual([...local(false)], ["10.0.0.9"]);
  addresses = ["10.0.0.10"];
  atMs = 20_000;
  assert.deepEqual([...local(false)], ["10.0.0.10"]);
});
