/* SPDX-License-Identifier: Apache-2.0 */
/* Moving about: what is in view, and what pointer and keys do. */

const SPAN_MIN = 2000; /* ns */
const WHOLE_NS = 8e9;  /* A run as short as this is shown whole. */
const ENDING_NS = 4e9;
let isDrawing = false;
let listTimer = 0;

/* At most once for each picture of the screen. */
function redraw() {
  if (!isDrawing) {
    isDrawing = true;
    requestAnimationFrame(() => {
      isDrawing = false;
      draw();
      drawMap();
    });
  }
}

/* The list follows when the view has come to rest. */
function refresh() {
  redraw();
  if (listed === "view") {
    clearTimeout(listTimer);
    listTimer = setTimeout(fillList, 150);
  }
}

function look(from, to) {
  const margin = runEnd * 0.02;
  const span = Math.max(SPAN_MIN, Math.min(to - from, runEnd + 2 * margin));
  const first = Math.max(-margin, Math.min(from, runEnd + margin - span));
  view.from = first;
  view.to = first + span;
  refresh();
}

function zoom(factor, x = (size.width + GUTTER) / 2) {
  const time = timeOf(Math.max(GUTTER, x));
  look(time - (time - view.from) * factor, time + (view.to - time) * factor);
}

function lookAtWhole() {
  look(-runEnd * 0.01, runEnd * 1.01);
}

function lookAtEnding() {
  const end = about.failure?.time ?? runEnd;
  if (runEnd <= WHOLE_NS) {
    lookAtWhole();
  } else {
    look(end - ENDING_NS, end + ENDING_NS * 0.06);
  }
}

/* --- pointer --- */

let drag = null;

canvas.onpointerdown = (event) => {
  drag = { x: event.clientX, y: event.clientY, from: view.from, to: view.to, scroll: view.scroll, isMoved: false };
  canvas.setPointerCapture(event.pointerId);
};

canvas.onpointermove = (event) => {
  if (drag) {
    const dx = event.clientX - drag.x;
    const dy = event.clientY - drag.y;
    drag.isMoved ||= Math.hypot(dx, dy) > 4;
    if (drag.isMoved) {
      const time = (dx * (drag.to - drag.from)) / (size.width - GUTTER);
      canvas.classList.add("dragging");
      view.scroll = drag.scroll - dy;
      look(drag.from - time, drag.to - time);
      showTip(null);
    }
    return;
  }
  const found = pick(event.offsetX, event.offsetY);
  showTip(found, event.clientX, event.clientY);
  const slot = found ? found.slot : -1;
  if (slot !== focus.hover) {
    focus.hover = slot;
    redraw();
  }
};

canvas.onpointerup = (event) => {
  const isClick = drag && !drag.isMoved;
  drag = null;
  canvas.classList.remove("dragging");
  if (isClick) {
    const found = pick(event.offsetX, event.offsetY);
    select(found ? found.slot : -1, false);
  }
};

canvas.onpointerleave = () => {
  focus.hover = -1;
  showTip(null);
  redraw();
};

canvas.ondblclick = (event) => zoom(0.4, event.offsetX);

/* Sideways moves, up and down zooms; with shift, up and down moves the lanes. */
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const unit = event.deltaMode === 1 ? 24 : 1;
  if (event.shiftKey) {
    view.scroll += (event.deltaY || event.deltaX) * unit;
    refresh();
  } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    const time = (event.deltaX * unit * (view.to - view.from)) / (size.width - GUTTER);
    look(view.from + time, view.to + time);
  } else {
    zoom(Math.exp(Math.max(-240, Math.min(240, event.deltaY * unit)) * 0.0022), event.offsetX);
  }
}, { passive: false });

/* --- keys --- */

/* To the row before or after the chosen one. */
function stepRow(way) {
  const rows = [...element("list").children].filter((row) => row.dataset.slot !== undefined);
  const at = rows.findIndex((row) => Number(row.dataset.slot) === focus.selected);
  const next = at < 0 ? (way > 0 ? 0 : rows.length - 1) : at + way;
  if (rows[next]) {
    select(Number(rows[next].dataset.slot), true);
  }
}

const keys = {
  "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1 / 0.6), w: () => zoom(0.6), s: () => zoom(1 / 0.6),
  a: () => move(-0.2), d: () => move(0.2), ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2),
  ArrowUp: () => stepRow(-1), ArrowDown: () => stepRow(1), 0: lookAtWhole, v: lookAtEnding,
  p: () => showPast(!focus.past),
  Escape: () => select(-1, false),
};

function move(part) {
  const time = (view.to - view.from) * part;
  look(view.from + time, view.to + time);
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey;
  if (!isTyping && keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

/* --- begin --- */

element("whole").onclick = lookAtWhole;
element("ending").onclick = lookAtEnding;
element("in").onclick = () => zoom(0.6);
element("out").onclick = () => zoom(1 / 0.6);
element("copy").onclick = copyReplay;
element("tab-matters").onclick = () => setTab("matters");
element("tab-view").onclick = () => setTab("view");
element("search").oninput = fillList;
element("list").onclick = (event) => {
  const row = event.target.closest("li");
  if (row && row.dataset.slot !== undefined) {
    select(Number(row.dataset.slot), true);
  }
};
window.addEventListener("resize", redraw);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  readPalette();
  redraw();
});

readPalette();
sayVerdict();
addFilters();
sayDetail();
if (about.failure && about.failure.time !== undefined) {
  lookAtEnding();
} else {
  lookAtWhole();
}
setTab("matters");
