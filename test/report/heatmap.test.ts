import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  COLUMNS,
  columnAt,
  emptyHeatmaps,
  type Heatmaps,
  heatmapOf,
  ROW_BOUNDS_US,
  ROWS,
  requestsIn,
  rowOf,
} from "../../src/report/heatmap.ts";

const SERVERS = ["10.0.0.1:6379", "10.0.0.2:6379", "10.0.0.3:11211"];
const EPOCH_US = Date.UTC(2026, 10, 21) * 1000;

interface Event {
  readonly us: number;
  readonly latencyUs: number;
  readonly server: number;
}

const events = fc.array(
  fc.record({
    us: fc.oneof(
      fc.integer({ min: 0, max: 2_000_000 }),
      fc.integer({ min: 0, max: 90 * 86_400 }).map((s) => s * 1_000_000),
    ),
    latencyUs: fc.nat(2 ** 31 - 1),
    server: fc.nat(SERVERS.length - 1),
  }),
  { maxLength: 60 },
);

function collect(all: readonly Event[]): Heatmaps {
  const heatmaps = emptyHeatmaps();
  for (const { us, latencyUs, server } of all) put(heatmaps, us, latencyUs, SERVERS[server]!);
  return heatmaps;
}

function put(heatmaps: Heatmaps, us: number, latencyUs: number, server: string): void {
  const counts = columnAt(heatmaps, heatmapOf(heatmaps, server, "redis"), EPOCH_US + us);
  counts[rowOf(latencyUs)]! += 1;
}

/** Every count where its time and latency say, none anywhere else, and no more columns than there may be. */
function check(heatmaps: Heatmaps, all: readonly Event[]): void {
  assert.ok(heatmaps.count <= COLUMNS);
  const expected = new Map<string, number>();
  for (const { us, latencyUs, server } of all) {
    const column = Math.floor((EPOCH_US + us) / heatmaps.widthUs) - heatmaps.first;
    const cell = `${SERVERS[server]} ${column} ${rowOf(latencyUs)}`;
    expected.set(cell, (expected.get(cell) ?? 0) + 1);
  }
  const found = new Map<string, number>();
  for (const { server, columns } of heatmaps.maps) {
    assert.ok(columns.length <= heatmaps.count);
    columns.forEach((counts, column) => {
      counts?.forEach((count, row) => {
        if (count > 0) found.set(`${server} ${column} ${row}`, count);
      });
    });
  }
  assert.deepEqual([...found].sort(), [...expected].sort());
}

describe("a heatmap", () => {
  test("has the row of each latency, by its bounds", () => {
    const inner = ROW_BOUNDS_US.slice(1).flatMap((bound) => [bound - 1, bound, bound + 1]);
    for (const us of [0, 1, 7, ...inner, 2 ** 40]) {
      assert.equal(
        rowOf(us),
        ROW_BOUNDS_US.findLastIndex((bound) => bound <= us),
        `${us} µs`,
      );
    }
    assert.equal(ROW_BOUNDS_US.length, ROWS);
  });

  test("holds every request at its time, however long the run grows and in whatever order they end", () => {
    fc.assert(fc.property(events, (all) => check(collect(all), all)));
  });

  test("starts with columns of 1 ms, and doubles them when it must", () => {
    const heatmaps = emptyHeatmaps();
    put(heatmaps, 0, 1, "a");
    assert.equal(heatmaps.widthUs, 1000);
    put(heatmaps, (COLUMNS - 1) * 1000, 1, "a");
    assert.deepEqual([heatmaps.widthUs, heatmaps.count], [1000, COLUMNS]);
    put(heatmaps, COLUMNS * 1000, 1, "a");
    assert.equal(heatmaps.widthUs, 2000);
    assert.equal(requestsIn(heatmaps.maps[0]!), 3);
  });

  test("leaves each of very many servers fewer columns, so that all stay within 9 MB", () => {
    const heatmaps = emptyHeatmaps();
    for (let server = 0; server < 400; server++) {
      for (let second = 0; second < 200; second++) put(heatmaps, second * 1e6, 100, `10.0.0.${server}:6379`);
    }
    const columns = heatmaps.maps.reduce((all, map) => all + map.columns.filter((counts) => counts).length, 0);
    assert.ok(columns * (ROWS + 1) * 8 <= 9_100_000, `${columns} columns`);
    assert.equal(
      heatmaps.maps.reduce((all, map) => all + requestsIn(map), 0),
      400 * 200,
    );
  });
});
