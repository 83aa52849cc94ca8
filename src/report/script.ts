/** The page's script: it sorts tables, and tells the numbers of a heatmap's cell. All else works without it. */
export const SCRIPT = `"use strict";
const MS = 1000;
function time(us) {
  const text = (value, unit) => Number(value.toPrecision(3)) + " " + unit;
  return us < MS ? us + " µs" : us < 1e6 ? text(us / MS, "ms") : text(us / 1e6, "s");
}
function clock(us, zone) {
  return new Date(us / MS + zone * 60000).toISOString().slice(11, 23);
}
function plural(count, noun) {
  return count.toLocaleString("en-US") + " " + noun + (count === 1 ? "" : "s");
}
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.querySelectorAll("thead th")];
  headings.forEach((heading, index) => {
    heading.firstElementChild.addEventListener("click", () => {
      const isNumber = heading.className === "number";
      const isDown = heading.ariaSort === "none" ? isNumber : heading.ariaSort === "ascending";
      for (const other of headings) other.ariaSort = "none";
      heading.ariaSort = isDown ? "descending" : "ascending";
      const value = (row) => isNumber ? Number(row.cells[index].dataset.value) : row.cells[index].textContent;
      const body = table.tBodies[0];
      const rows = [...body.rows].map((row) => ({ row, value: value(row) }));
      rows.sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0) * (isDown ? -1 : 1));
      body.append(...rows.map(({ row }) => row));
    });
  });
}
const tip = document.getElementById("tip");
function showCells(map) {
  const data = map.dataset;
  const bounds = data.bounds.split(" ").map(Number);
  const low = Number(data.low);
  const columns = new Map();
  for (const part of data.cells.split(";")) {
    const [column, unanswered, ...cells] = part.split(" ").map(Number);
    const rows = new Map();
    let all = 0;
    for (let i = 0; i < cells.length; i += 2) {
      rows.set(cells[i], cells[i + 1]);
      all += cells[i + 1];
    }
    columns.set(column, { unanswered, all, rows });
  }
  const { width, height } = map.viewBox.baseVal;
  const here = map.querySelector(".here");
  map.addEventListener("pointermove", (event) => {
    const box = map.getBoundingClientRect();
    const at = Math.min(width - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * width)));
    const down = Math.min(height - 1, Math.max(0, Math.floor((event.clientY - box.top) / box.height * height)));
    const row = low + height - 1 - down;
    const column = columns.get(at) ?? { unanswered: 0, all: 0, rows: new Map() };
    const fromUs = Number(data.from) + at * Number(data.width);
    const zone = Number(data.zone);
    const to = bounds[row - low + 1] === undefined ? " and more" : " to " + time(bounds[row - low + 1]);
    const lost = column.unanswered > 0 ? ", " + column.unanswered + " unanswered" : "";
    tip.textContent = clock(fromUs, zone) + " to " + clock(fromUs + Number(data.width), zone) + "\\n" +
      time(bounds[row - low]) + to + ": " + plural(column.rows.get(row) ?? 0, "request") + "\\n" +
      "at this time: " + plural(column.all, "request") + lost;
    here.setAttribute("x", at);
    here.setAttribute("y", down);
    here.setAttribute("width", 1);
    tip.hidden = false;
    const left = Math.min(event.clientX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = event.clientY + 18 + "px";
  });
  const leave = () => {
    tip.hidden = true;
    here.setAttribute("width", 0);
  };
  map.addEventListener("pointerleave", leave);
  map.addEventListener("pointercancel", leave);
}
document.querySelectorAll("svg.map").forEach(showCells);
`;
